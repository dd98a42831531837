"""The events of a comparison, in the order in which they are emitted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from harness.comparing.grouping import grouped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.comparing.classification import Change
    from harness.comparing.grouping import Group
    from harness.comparing.streams import Stream
    from harness.comparing.vocabulary import WordChange
    from harness.errors import InputError


@dataclass(frozen=True)
class Progress:
    """The current step of the preparation, for a person who waits."""

    words: str


@dataclass(frozen=True)
class UnusableInput:
    """A file or a side that cannot be used; the comparison continues without it."""

    error: InputError


@dataclass(frozen=True)
class ComparisonStarted:
    """The usable sides are ready: letter -> label, letter -> installed versions."""

    target: str
    sides: Mapping[str, str]
    versions: Mapping[str, Mapping[str, str]]
    streams: int
    skipped: Mapping[str, int]  # protocol -> streams, that a side does not support


@dataclass(frozen=True)
class StreamCompared:
    """One stream was compared; ``violated`` names the checks that fail on the last side."""

    stream: Stream
    changes: tuple[Change, ...]
    violated: tuple[str, ...] = ()

    @property
    def still_violated(self) -> tuple[str, ...]:
        """The checks that fail on both sides."""
        news = {one.place for one in self.changes if one.category == "requirement violated"}
        return tuple(check for check in self.violated if check not in news)


@dataclass(frozen=True)
class ComparisonFinished:
    """The comparison is over, or was interrupted."""

    start: ComparisonStarted
    compared: tuple[StreamCompared, ...]
    seconds: float
    command: str  # the command that compares the same sides again, with ``{}`` for the selection
    words: tuple[WordChange, ...] = ()  # where vocabularies were compared
    unusable: int = 0
    interrupted: bool = False

    @property
    def groups(self) -> list[Group]:
        """The changes, grouped by category, layer and shape."""
        return grouped(self.compared)

    @property
    def counts(self) -> Counter[str]:
        """How many streams changed per category; a stream may count under several."""
        return Counter(
            word for each in self.compared for word in {m.category for m in each.changes}
        )

    @property
    def unclassified(self) -> tuple[WordChange, ...]:
        """The new words of the vocabulary that are in no table yet."""
        return tuple(change for change in self.words if change.unclassified)

    @property
    def same(self) -> int:
        """How many streams have only cosmetic changes or none."""
        return sum(
            all(one.category == "only cosmetic" for one in each.changes) for each in self.compared
        )


CompareEvent: TypeAlias = (
    Progress | UnusableInput | ComparisonStarted | StreamCompared | ComparisonFinished
)
