"""Which output item of a Responses stream an event is about, and whether the event is a new one.

OpenAI names an item by its id and by its output_index, and numbers the events. Compatible servers
leave out one of them or all, change the id with every event, use an index twice, or send an event
again; the catalogue's cases OR-016 to OR-018, OR-036 and TR-021 are the law here.

Rules of this file: an id that is known decides, then the index, then, where an event has neither,
the item opened last; items of different types never answer for each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.streaming.interfaces.openai_responses.items import Item, Telling

    Key: TypeAlias = tuple[str, str | int | None]


class ItemIndex:
    """The items of one response, in the order they were opened."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self._by_key: dict[Key, Item] = {}

    def find(self, item_type: str, item_id: object, index: object) -> Item | None:
        """Return the item of a type that an event names, or None."""
        if type(item_id) is str:
            found = self._by_key.get((item_type, item_id))
            if found is not None or type(index) is not int:
                return found
        return self._by_key.get((item_type, index if type(index) is int else None))

    def find_whole(self, found: Any, index: object, telling: Telling) -> Item | None:
        """Return the item an ``added`` or ``done`` event tells; None where it is a new one.

        An index whose item was told that way already may be used again, by an item with an id of
        its own.

        Args:
            found: the item as the event tells it.
            index: the event's output_index.
            telling: which of the two events it is.
        """
        item_id = getattr(found, "id", None)
        if telling == "added" and item_id is None and index is None:
            return None
        known = self.find(str(getattr(found, "type", None)), item_id, index)
        if known is None or known.id in {None, item_id} or item_id is None:
            return known
        return None if telling in known.told else known

    def put(self, item: Item, item_id: object, index: object, call_id: object = None) -> None:
        """Remember an item by everything that may name it."""
        if item not in self.items:
            self.items.append(item)
        item.id = item_id if isinstance(item_id, str) else item.id
        for key in (item_id, index, call_id, None):
            if key is None or isinstance(key, str | int):
                self._by_key[item.type, key] = item

    def match(self, output: Sequence[Any]) -> Iterator[tuple[Any, Item | None]]:
        """Yield each item of a terminal response with the one it tells again, or with None.

        Ids decide; what they leave over is matched by its place, then by its order.
        """
        claimed: list[Item] = []
        pairs: dict[int, Item] = {}
        for by_place in (False, True):
            for place, found in enumerate(output):
                known = None if place in pairs else self._claim(found, place, claimed, by_place)
                if known is not None:
                    pairs[place] = known
                    claimed.append(known)
        return ((found, pairs.get(place)) for place, found in enumerate(output))

    def _claim(self, found: Any, place: int, claimed: list[Item], by_place: bool) -> Item | None:  # noqa: FBT001 - which of two passes it is
        item_type = str(getattr(found, "type", None))
        names = (
            (place,) if by_place else (getattr(found, "id", None), getattr(found, "call_id", None))
        )
        named = (self._by_key.get((item_type, name)) for name in names if name is not None)
        free = (item for item in self.items if by_place and item.type == item_type)
        return next(
            (item for item in (*named, *free) if item is not None and item not in claimed), None
        )


class Numbers:
    """The sequence numbers of a stream: which came, which came again, which never came."""

    def __init__(self) -> None:
        self._first: int | None = None
        self._next: int | None = None
        self._gaps: list[range] = []

    def fresh(self, number: object) -> bool:
        """Whether an event with this number is to be read; False where it came before.

        A server whose numbers never rise numbers nothing: its events are all read.
        """
        if type(number) is not int:
            return True
        if number == self._next:
            self._next = number + 1
            return True
        if self._next is None or self._first is None:
            self._first, self._next = number, number + 1
        elif number > self._next:
            self._gaps.append(range(self._next, number))
            self._next = number + 1
        else:
            return self._late(number) or self._next == self._first + 1
        return True

    @property
    def missing(self) -> str:
        """The numbers that never came, for a person to read; empty where none is missing."""
        return ", ".join(
            str(gap.start) if len(gap) == 1 else f"{gap.start} to {gap.stop - 1}"
            for gap in self._gaps
        )

    def _late(self, number: int) -> bool:
        """Take a number out of the gap it stands in; False where it stands in none."""
        for place, gap in enumerate(self._gaps):
            if number in gap:
                rest = (range(gap.start, number), range(number + 1, gap.stop))
                self._gaps[place : place + 1] = [part for part in rest if part]
                return True
        return False
