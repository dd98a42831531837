"""One content block of a Messages stream while it is open, and the values it is made of.

SDKs build objects without looking at the types, so what is expected to be text may be anything:
``string`` and ``items`` let through only what can be used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.model import ServerTool
from harness.protocols.anthropic_messages.vocabulary import DELTA_FIELDS, DELTAS_OF, SERVER_TOOLS
from harness.streaming.content import parse_arguments
from harness.streaming.usage import raw_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.model import JSON, Chunk
    from harness.streaming.content import Assembly, Slot


# The block a client reads or runs -> the delta that is nearly every event of it, and its field.
_USUAL: Mapping[str, tuple[str, str]] = {
    block: (DELTAS_OF[block][0], DELTA_FIELDS[DELTAS_OF[block][0]][0])
    for block in ("text", "thinking", "tool_use")
}


class Block:
    """A block: its type, the slot it grows in, and whether its stop is still to come.

    ``placeholder`` is the input a call's start carried: ``{}``, or all there will ever be. ``take``
    takes the ``field`` of the ``usual`` delta; both are empty for a block that has none.
    """

    __slots__ = ("field", "open", "placeholder", "slot", "take", "type", "usual")

    def __init__(self, block_type: str, slot: Slot, placeholder: JSON = None) -> None:
        self.type, self.slot, self.placeholder = block_type, slot, placeholder
        self.open = True
        self.usual, self.field = _USUAL.get(block_type, ("", ""))
        self.take: Callable[[str], Sequence[Chunk]] = getattr(slot, "add", _nothing)


class ServedBlock(Block):
    """A block of the provider's own tools, or of a type nobody knows, kept as it stands.

    What its deltas bring is collected by field and put into the part when ``settle`` is called.

    Args:
        assembly: where its part stands.
        block_type: the provider's word.
        start: the block as its start event carried it; None where that never came.
    """

    __slots__ = ("_data", "_grown", "_part", "_ready")

    def __init__(self, assembly: Assembly, block_type: str, start: Any = None) -> None:
        tool = block_type in SERVER_TOOLS
        self._data = getattr(start, "input", None) if tool else raw_of(start)
        self._part = ServerTool(
            name=(string(getattr(start, "name", None)) if tool else None) or block_type,
            id=string(getattr(start, "id", None)) or string(getattr(start, "tool_use_id", None)),
            data=self._data,
        )
        self._grown: dict[str, list[str]] = {}
        self._ready = assembly.ready(self._part)
        super().__init__(block_type, self._ready)

    def grow(self, field: str, fragment: str) -> None:
        """Append a fragment to one of the block's fields."""
        self._grown.setdefault(field, []).append(fragment)

    def settle(self) -> None:
        """Put what has grown so far into the part."""
        if self._grown:
            self._ready.content = self._part.model_copy(update={"data": self._whole()})

    def _whole(self) -> JSON:
        grown = {field: "".join(pieces) for field, pieces in self._grown.items()}
        if self.type in SERVER_TOOLS:
            text = "".join(grown.values())
            arguments = parse_arguments(text)
            return text if arguments is None else arguments
        return {**(self._data if isinstance(self._data, dict) else {}), **grown}


def _nothing(_: str) -> Sequence[Chunk]:
    return ()


def string(value: object) -> str | None:
    """Return a value where it is text that says something, else None."""
    return value if isinstance(value, str) and value else None


def items(value: object) -> list[Any]:
    """Return a value where it is a list, else an empty one."""
    return value if isinstance(value, list) else []
