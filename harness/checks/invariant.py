"""What an invariant is: one statement that holds for everything of one kind, and its function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Seen = TypeVar("Seen")
Violation = TypeVar("Violation")


@dataclass(frozen=True)
class Invariant(Generic[Seen, Violation]):
    """One statement that must hold whatever was sent.

    ``Seen`` is what it is evaluated on: an outcome, an aborted stream, a run. ``Violation`` is what
    its function returns when it does not hold; for most that is one sentence.

    Args:
        name: the word by which findings call it.
        sentence: the statement, one sentence without a full stop.
        sources: where it comes from: provider URLs, or ids that docs/ explains (``CA-002``).
        violation: what was seen -> what is wrong, or None where the invariant holds.
    """

    name: str
    sentence: str
    sources: tuple[str, ...]
    violation: Callable[[Seen], Violation | None]
