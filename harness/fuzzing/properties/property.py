"""What a law is, what it may ask for, and what it says when it is broken."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeAlias

from harness.generation.views import differing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.generation.cases import Case
    from harness.model import JSON, Outcome
    from harness.wire.script import Script

    Judge: TypeAlias = Callable[[Case, "Deliver"], "Broken | None"]

Severity: TypeAlias = Literal["must", "should"]


class Delivered(NamedTuple):
    """What a target delivered for one stream.

    ``complaint`` is what it did wrong besides; ``unspoken`` says that it does not know the wire.
    """

    outcome: Outcome
    complaint: str | None = None
    unspoken: bool = False


class Deliver(Protocol):
    """Tells a stream to the target under test; the same stream is told once."""

    def __call__(self, script: Script, *, protocol: str = "", twin: str = "") -> Delivered:
        """Return what came of it.

        Args:
            script: what is spoken.
            protocol: another wire than the case's.
            twin: another way to the same answer, a key of the target's ``variants``, if it has it.
        """


@dataclass(frozen=True)
class Broken:
    """One law, broken by one stream.

    Args:
        script: what was sent.
        expected: what the law asks for, by keys of ``must`` where there are such.
        actual: what came instead.
        why: one sentence.
        protocol: the wire it was sent over, where that is not the case's.
        twin: the way it was read in, where that is another than usual.
    """

    script: Script
    expected: Mapping[str, JSON] = field(default_factory=dict)
    actual: Mapping[str, JSON] = field(default_factory=dict)
    why: str = ""
    protocol: str = ""
    twin: str = ""

    @property
    def symptom(self) -> str:
        """What two failures have in common that are probably one: the fields, or the sentence."""
        error = self.actual.get("error")
        kind = error.get("kind", "") if isinstance(error, dict) else ""
        head = self.why.partition(":")[0]
        return " ".join(filter(None, (*sorted(self.expected), kind, head)))


@dataclass(frozen=True)
class Property:
    """One law over any target.

    Args:
        name: its word.
        says: the law, one sentence.
        cases: ids of the catalogue.
        judge: case, a way to tell streams -> what is broken, or None.
        of_messages: whether it needs to know what was said; else it holds for walks as well.
        twin: the other way of reading it compares with; a target without one is not judged.
        severity: a broken ``must`` decides the exit code, a ``should`` is shown.
    """

    name: str
    says: str
    cases: tuple[str, ...]
    judge: Judge
    of_messages: bool = False
    twin: str = ""
    severity: Severity = "must"


def compare(
    script: Script,
    expected: Mapping[str, JSON],
    told: Delivered,
    actual: Mapping[str, JSON],
    why: str,
) -> Broken | None:
    """Return what is broken where a view is not the expected one, or the target misbehaved."""
    if told.complaint:
        return Broken(script, why=told.complaint)
    wanted, came = differing(expected, actual)
    return Broken(script, wanted, came, why) if wanted else None
