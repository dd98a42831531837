"""Like to like: differences of one shape, with the streams they were seen in and one example."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from harness.comparing.classification import MEANINGS
from harness.comparing.differences import LAYERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.comparing.classification import Category, Change
    from harness.comparing.events import Compared


Key: TypeAlias = "tuple[str, str, str]"


@dataclass
class Group:
    """Differences of one meaning, layer and shape.

    ``streams`` are those it was seen in, first of them that of the example; ``consequences`` counts
    in how many of them each shape of a higher layer moved, too.
    """

    example: Change
    streams: list[str] = field(default_factory=list)
    consequences: Counter[str] = field(default_factory=Counter)

    @property
    def meaning(self) -> Category:
        """What the differences mean."""
        return self.example.meaning

    @property
    def followed(self) -> list[tuple[str, int]]:
        """The consequences: the most frequent first, what was delivered before how it came."""
        return sorted(self.consequences.items(), key=_news)


def _news(counted: tuple[str, int]) -> tuple[int, bool, str]:
    shape, count = counted
    return (-count, not shape.startswith("outcome "), shape)


def grouped(compared: Iterable[Compared]) -> list[Group]:
    """Return the groups of a comparison: what weighs most first, then what is seen most."""
    found = [(each, _first_of_each_shape(each.moved)) for each in compared]
    groups: dict[Key, Group] = {}
    for each, shapes in found:
        for key, one in shapes.items():
            groups.setdefault(key, Group(one)).streams.append(each.stream.name)
    for each, shapes in found:
        _explain(each.moved, [groups[key] for key in shapes])
    return sorted(groups.values(), key=_weight)


def _first_of_each_shape(moved: Iterable[Change]) -> dict[Key, Change]:
    shapes: dict[Key, Change] = {}
    for one in moved:
        if not one.follows:
            shapes.setdefault((one.meaning, one.layer, one.shape), one)
    return shapes


def _explain(moved: Iterable[Change], groups: list[Group]) -> None:
    """Note what followed in a stream under the rarest of what came first: the likeliest cause."""
    after = {f"{one.layer} {one.shape}" for one in moved if one.follows}
    for words in ({"photograph changed"}, {"law broken", "improved"}):
        causes = [group for group in groups if group.meaning in words]
        if after and causes:
            min(causes, key=lambda group: len(group.streams)).consequences.update(after)


def _weight(group: Group) -> tuple[int, int, int, str]:
    example = group.example
    layer = LAYERS.index(example.layer)
    return (MEANINGS.index(example.meaning), layer, -len(group.streams), example.shape)
