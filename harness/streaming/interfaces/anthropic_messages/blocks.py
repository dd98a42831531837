"""The content blocks of a Messages stream, and checked access to their fields.

SDKs build objects without validating types, so a field that should hold text may hold anything:
``string`` and ``items`` return only values of the expected type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.model import ServerTool
from harness.protocols.anthropic_messages.vocabulary import DELTA_FIELDS, DELTAS_OF, SERVER_TOOLS
from harness.streaming.content import parse_arguments
from harness.streaming.usage import raw_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.model import JSON, Chunk, Part
    from harness.streaming.content import Assembly, Slot


# Block type -> the delta type of nearly all its events, and the field of that delta.
_USUAL: Mapping[str, tuple[str, str]] = {
    block: (DELTAS_OF[block][0], DELTA_FIELDS[DELTAS_OF[block][0]][0])
    for block in ("text", "thinking", "tool_use")
}


class Block:
    """A block: its type, its content slot, and whether it is still open.

    ``start_input`` is the input in the start event of a call: the placeholder ``{}``, or all the
    arguments where no delta follows. ``append`` takes the ``field`` of the ``usual`` delta; both
    are empty for a block type without one.
    """

    __slots__ = ("append", "field", "open", "slot", "start_input", "type", "usual")

    def __init__(self, block_type: str, slot: Slot, start_input: JSON = None) -> None:
        self.type, self.slot, self.start_input = block_type, slot, start_input
        self.open = True
        self.usual, self.field = _USUAL.get(block_type, ("", ""))
        self.append: Callable[[str], Sequence[Chunk]] = getattr(slot, "add", _ignore)


class ServerBlock(Block):
    """A block of the provider's own tools, or of an unknown type, kept unchanged.

    Args:
        assembly: the content its part is added to.
        block_type: the provider's type of the block.
        start: the block in its start event; None where there was none.
    """

    __slots__ = ("_data", "_fragments", "_part")

    def __init__(self, assembly: Assembly, block_type: str, start: Any = None) -> None:
        tool = block_type in SERVER_TOOLS
        self._data = getattr(start, "input", None) if tool else raw_of(start)
        self._part = ServerTool(
            name=(string(getattr(start, "name", None)) if tool else None) or block_type,
            id=string(getattr(start, "id", None)) or string(getattr(start, "tool_use_id", None)),
            data=self._data,
        )
        self._fragments: dict[str, list[str]] = {}
        super().__init__(block_type, assembly.defer_part(self._build))

    def append_to(self, field: str, fragment: str) -> None:
        """Append a fragment to one of the block's fields."""
        self._fragments.setdefault(field, []).append(fragment)

    def _build(self) -> Part:
        if not self._fragments:
            return self._part
        return self._part.model_copy(update={"data": self._merged_data()})

    def _merged_data(self) -> JSON:
        grown = {field: "".join(pieces) for field, pieces in self._fragments.items()}
        if self.type in SERVER_TOOLS:
            text = "".join(grown.values())
            arguments = parse_arguments(text)
            return text if arguments is None else arguments
        return {**(self._data if isinstance(self._data, dict) else {}), **grown}


def _ignore(_: str) -> Sequence[Chunk]:
    return ()


def string(value: object) -> str | None:
    """Return a value if it is non-empty text, else None."""
    return value if isinstance(value, str) and value else None


def items(value: object) -> list[Any]:
    """Return a value if it is a list, else an empty list."""
    return value if isinstance(value, list) else []
