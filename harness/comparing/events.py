"""The events of a comparison, in the order in which they are emitted, and groups of its changes.

A group holds the changes of one category, layer and shape, with the streams they occur in and one
example.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from harness.comparing.classification import CATEGORIES
from harness.comparing.differences import LAYERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.comparing.classification import Category, Change
    from harness.comparing.streams import Stream
    from harness.comparing.vocabulary import WordChange
    from harness.errors import InputError


@dataclass(frozen=True)
class Progress:
    """The current step of the preparation, for a person who waits."""

    message: str


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
    vocabulary: tuple[WordChange, ...] = ()  # where vocabularies were compared
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
        return tuple(change for change in self.vocabulary if change.unclassified)

    @property
    def same(self) -> int:
        """How many streams have only cosmetic changes or none."""
        return sum(
            all(one.category == "only cosmetic" for one in each.changes) for each in self.compared
        )


CompareEvent: TypeAlias = (
    Progress | UnusableInput | ComparisonStarted | StreamCompared | ComparisonFinished
)

Key: TypeAlias = "tuple[str, str, str]"  # category, layer and shape


@dataclass
class Group:
    """Changes of one category, layer and shape.

    ``streams`` are those it was seen in, first of them that of the example; ``consequences`` counts
    in how many of them each shape of a higher layer changed, too.
    """

    example: Change
    streams: list[str] = field(default_factory=list)
    consequences: Counter[str] = field(default_factory=Counter)

    @property
    def category(self) -> Category:
        """The category of the changes."""
        return self.example.category

    @property
    def followed(self) -> list[tuple[str, int]]:
        """The consequences, most frequent first; those of the outcome before those of chunks."""
        return sorted(self.consequences.items(), key=_news)


def _news(counted: tuple[str, int]) -> tuple[int, bool, str]:
    shape, count = counted
    return (-count, not shape.startswith("outcome "), shape)


def grouped(compared: Iterable[StreamCompared]) -> list[Group]:
    """Return the groups of a comparison, gravest category first, then most frequent first."""
    found = [(each, _first_of_each_shape(each.changes)) for each in compared]
    groups: dict[Key, Group] = {}
    for each, shapes in found:
        for key, one in shapes.items():
            groups.setdefault(key, Group(one)).streams.append(each.stream.name)
    for each, shapes in found:
        _explain(each.changes, [groups[key] for key in shapes])
    return sorted(groups.values(), key=_weight)


def _first_of_each_shape(changes: Iterable[Change]) -> dict[Key, Change]:
    shapes: dict[Key, Change] = {}
    for one in changes:
        if not one.follows:
            shapes.setdefault((one.category, one.layer, one.shape), one)
    return shapes


def _explain(changes: Iterable[Change], groups: list[Group]) -> None:
    """Add the consequences in a stream to the rarest of its first changes, the likeliest cause."""
    after = {f"{one.layer} {one.shape}" for one in changes if one.follows}
    for categories in ({"snapshot changed"}, {"requirement violated", "improved"}):
        causes = [group for group in groups if group.category in categories]
        if after and causes:
            min(causes, key=lambda group: len(group.streams)).consequences.update(after)


def _weight(group: Group) -> tuple[int, int, int, str]:
    example = group.example
    layer = LAYERS.index(example.layer)
    return (CATEGORIES.index(example.category), layer, -len(group.streams), example.shape)
