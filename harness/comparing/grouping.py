"""Groups of changes of one shape, with the streams they occur in and one example."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from harness.comparing.classification import CATEGORIES
from harness.comparing.differences import LAYERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.comparing.classification import Category, Change
    from harness.comparing.events import StreamCompared


Key: TypeAlias = "tuple[str, str, str]"


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
    for words in ({"snapshot changed"}, {"requirement violated", "improved"}):
        causes = [group for group in groups if group.category in words]
        if after and causes:
            min(causes, key=lambda group: len(group.streams)).consequences.update(after)


def _weight(group: Group) -> tuple[int, int, int, str]:
    example = group.example
    layer = LAYERS.index(example.layer)
    return (CATEGORIES.index(example.category), layer, -len(group.streams), example.shape)
