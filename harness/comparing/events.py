"""What a comparison tells its listeners: frozen values, in the order in which they happen."""

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
    """Something a person waits for has come so far."""

    words: str


@dataclass(frozen=True)
class Unusable:
    """A file or a side that cannot be used; the others go on."""

    error: InputError


@dataclass(frozen=True)
class Began:
    """Both sides are ready, or the one that can be used: letter -> label, letter -> versions."""

    target: str
    sides: Mapping[str, str]
    versions: Mapping[str, Mapping[str, str]]
    streams: int
    left_out: Mapping[str, int]  # protocol -> streams, where a side does not speak it


@dataclass(frozen=True)
class Compared:
    """One stream was told to both sides; ``broken`` names the laws broken on the last side."""

    stream: Stream
    moved: tuple[Change, ...]
    broken: tuple[str, ...] = ()

    @property
    def still_broken(self) -> tuple[str, ...]:
        """The laws the last side breaks that the first one broke, too."""
        news = {one.place for one in self.moved if one.meaning == "law broken"}
        return tuple(check for check in self.broken if check not in news)


@dataclass(frozen=True)
class Ended:
    """The comparison is over, or was interrupted."""

    began: Began
    compared: tuple[Compared, ...]
    seconds: float
    command: str  # the words that compare the same sides again, with ``{}`` for the selection
    words: tuple[WordChange, ...] = ()  # where vocabularies were compared
    unusable: int = 0
    interrupted: bool = False

    @property
    def groups(self) -> list[Group]:
        """What moved, like to like."""
        return grouped(self.compared)

    @property
    def counts(self) -> Counter[str]:
        """How many streams moved in each meaning; a stream may count under several."""
        return Counter(word for each in self.compared for word in {m.meaning for m in each.moved})

    @property
    def unclassified(self) -> tuple[WordChange, ...]:
        """The words the upgrade brings that nobody has judged yet."""
        return tuple(change for change in self.words if change.unclassified)

    @property
    def same(self) -> int:
        """How many streams did not move, but for cosmetics."""
        return sum(
            all(one.meaning == "only cosmetic" for one in each.moved) for each in self.compared
        )


CompareEvent: TypeAlias = Progress | Unusable | Began | Compared | Ended
