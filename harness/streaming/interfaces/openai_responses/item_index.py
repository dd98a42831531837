"""Which output item of a Responses stream an event belongs to.

OpenAI identifies an item by its id and by its output_index. Compatible servers omit one or both,
change the id with every event, or use an index twice (catalogue OR-016 to OR-018).

Rules of this file: a known id decides, then the index, then, where an event has neither, the item
opened last; an event never resolves to an item of another type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.streaming.interfaces.openai_responses.items import Item, Stage

    Key: TypeAlias = tuple[str, str | int | None]


class ItemIndex:
    """The items of one response, in the order they were opened."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self._by_key: dict[Key, Item] = {}

    def find(self, item_type: str, item_id: object, index: object) -> Item | None:
        """Return the item of a type with this id or index, or None."""
        if type(item_id) is str:
            known = self._by_key.get((item_type, item_id))
            if known is not None or type(index) is not int:
                return known
        return self._by_key.get((item_type, index if type(index) is int else None))

    def find_sent(self, sent: Any, index: object, stage: Stage) -> Item | None:
        """Return the item that an ``added`` or ``done`` event carries; None where it is new.

        An index whose item has already passed this stage may be used again, by an item with an id
        of its own.

        Args:
            sent: the item object in the event.
            index: the event's output_index.
            stage: which of the two events it is.
        """
        item_id = getattr(sent, "id", None)
        if stage == "added" and item_id is None and index is None:
            return None
        known = self.find(str(getattr(sent, "type", None)), item_id, index)
        if known is None or known.id in {None, item_id} or item_id is None:
            return known
        return None if stage in known.stages else known

    def register(self, item: Item, item_id: object, index: object, call_id: object = None) -> None:
        """Index an item by everything that may identify it later."""
        if item not in self.items:
            self.items.append(item)
        item.id = item_id if isinstance(item_id, str) else item.id
        for key in (item_id, index, call_id, None):
            if key is None or isinstance(key, str | int):
                self._by_key[item.type, key] = item

    def match(self, output: Sequence[Any]) -> Iterator[tuple[Any, Item | None]]:
        """Yield each item object of a terminal response with the item it repeats, or with None.

        Ids decide first; the remaining objects are matched by position, then by order.
        """
        matched: dict[int, Item] = {}
        for by_position in (False, True):
            for position, sent in enumerate(output):
                known = None
                if position not in matched:
                    known = self._unmatched(sent, position, matched, by_position)
                if known is not None:
                    matched[position] = known
        return ((sent, matched.get(position)) for position, sent in enumerate(output))

    def _unmatched(
        self,
        sent: Any,
        position: int,
        matched: dict[int, Item],
        by_position: bool,  # noqa: FBT001 - which of two passes it is
    ) -> Item | None:
        item_type = str(getattr(sent, "type", None))
        ids = (getattr(sent, "id", None), getattr(sent, "call_id", None))
        keys = (position,) if by_position else ids
        named = (self._by_key.get((item_type, key)) for key in keys if key is not None)
        free = (item for item in self.items if by_position and item.type == item_type)
        taken = matched.values()
        return next(
            (item for item in (*named, *free) if item is not None and item not in taken), None
        )
