"""Anthropic Messages: typed raw events -> chunks and an outcome.

https://docs.claude.com/en/api/messages-streaming

Rules of this file: every block grows in its own slot, found by its index, so blocks may overlap;
a tool call is closed by its block's stop and by nothing else; what a block start already carries
counts, and is replaced by deltas only where it is a placeholder; usage is assigned, field by field.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from harness.model import Chunk, RedactedReasoning, ServerTool
from harness.protocols.anthropic_messages.words import DELTAS_OF, FINISH, SERVER_TOOLS, USAGE
from harness.streaming.assembly import Call, Prose, Ready, parse_arguments
from harness.streaming.counting import counts_of, raw_of, usage_of
from harness.streaming.failures import error_info, protocol_error
from harness.streaming.interfaces.base import StreamingInterface

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from harness.streaming.assembly import Assembly, Slot

    Handler: TypeAlias = Callable[["AnthropicMessagesInterface", Any], Sequence[Chunk]]
    Grower: TypeAlias = Callable[["AnthropicMessagesInterface", "_Block", Any], Sequence[Chunk]]
    Opener: TypeAlias = Callable[["AnthropicMessagesInterface", int, Any], Sequence[Chunk]]


class _Block:
    """One open block: its slot, what its start carried, and whether its stop has come.

    ``grown`` collects the deltas of blocks that are no words and no call: a server tool's input.
    """

    __slots__ = ("grown", "open", "placeholder", "slot", "type")

    def __init__(self, block_type: str, slot: Slot | None, placeholder: Any = None) -> None:
        self.type, self.slot, self.placeholder = block_type, slot, placeholder
        self.grown: list[str] = []
        self.open = True


class AnthropicMessagesInterface(StreamingInterface):
    """The Messages interface; see ``StreamingInterface`` for its arguments and use."""

    protocol: ClassVar[str] = "anthropic_messages"
    finish_words = FINISH

    def __init__(self, *, requires_approval: Iterable[str] = (), model: str | None = None) -> None:
        super().__init__(requires_approval=requires_approval, model=model)
        self._blocks: dict[int, _Block] = {}
        self._counts: dict[str, int] = {}

    def handle(self, event: Any) -> Sequence[Chunk]:
        """Take one raw message event; return its chunks."""
        handler = self.events.get(getattr(event, "type", None))
        if handler is None:
            return self.unknown("event", getattr(event, "type", type(event).__name__))
        return handler(self, event)

    # Events

    def _message_start(self, event: Any) -> Sequence[Chunk]:
        message = event.message
        self.response_id = getattr(message, "id", None) or self.response_id
        self.model = getattr(message, "model", None) or self.model
        self._count(getattr(message, "usage", None))
        chunks: list[Chunk] = []
        for place, block in enumerate(getattr(message, "content", None) or ()):
            index = -1 - place  # the message came whole; its blocks have no events of their own
            chunks += self._open(index, block)
            chunks += self._close(index)
        if getattr(message, "stop_reason", None):
            self.terminal(message.stop_reason)
        return chunks

    def _block_start(self, event: Any) -> Sequence[Chunk]:
        return self._open(event.index, event.content_block)

    def _block_delta(self, event: Any) -> Sequence[Chunk]:
        delta = event.delta
        handler = self.deltas.get(getattr(delta, "type", None))
        if handler is None:
            return self.unknown("delta", getattr(delta, "type", None))
        block = self._blocks.get(event.index)
        if block is None:
            block = self._missing(event.index, delta.type)
        return handler(self, block, delta)

    def _block_stop(self, event: Any) -> Sequence[Chunk]:
        return self._close(event.index)

    def _message_delta(self, event: Any) -> Sequence[Chunk]:
        self._count(getattr(event, "usage", None))
        stop_reason = getattr(event.delta, "stop_reason", None)
        if stop_reason:
            self.terminal(stop_reason)
        return ()

    def _message_stop(self, _: Any) -> Sequence[Chunk]:
        for index, block in self._blocks.items():
            if block.open:
                self.note("malformed", f"message_stop while block {index} is open")
        self.terminal(None)
        return ()

    def _ping(self, _: Any) -> Sequence[Chunk]:
        return ()

    def _provider_error(self, event: Any) -> Sequence[Chunk]:
        self.failed(error_info(getattr(event, "error", None)))
        return ()

    # Blocks

    def _open(self, index: int, block: Any) -> Sequence[Chunk]:
        block_type = getattr(block, "type", None)
        opener = self.openers.get(block_type)
        if opener is None:
            self.unknown("block", block_type)
            return self._open_whole(index, block)
        return opener(self, index, block)

    def _open_text(self, index: int, block: Any) -> Sequence[Chunk]:
        slot = self.assembly.prose("text")
        self._blocks[index] = _Block("text", slot)
        slot.citations.extend(raw_of(found) for found in getattr(block, "citations", None) or ())
        text = getattr(block, "text", None)
        return (slot.add(text),) if text else ()

    def _open_thinking(self, index: int, block: Any) -> Sequence[Chunk]:
        slot = self.assembly.prose("reasoning")
        self._blocks[index] = _Block("thinking", slot)
        signature, text = getattr(block, "signature", None), getattr(block, "thinking", None)
        if signature:
            slot.sign(signature)
        return (slot.add(text),) if text else ()

    def _open_redacted(self, index: int, block: Any) -> Sequence[Chunk]:
        data = getattr(block, "data", None) or ""
        slot = self.assembly.ready(RedactedReasoning(data=data))
        self._blocks[index] = _Block("redacted_thinking", slot)
        return (Chunk("redacted_reasoning", part=slot.part, data=data),)

    def _open_call(self, index: int, block: Any) -> Sequence[Chunk]:
        slot = self.assembly.call(getattr(block, "id", None), getattr(block, "name", None))
        self._blocks[index] = _Block("tool_use", slot, getattr(block, "input", None))
        return slot.announce()

    def _open_whole(self, index: int, block: Any) -> Sequence[Chunk]:
        """Keep a block of the provider's own tools, or one nobody knows, as it stands."""
        block_type = str(getattr(block, "type", None))
        server_tool = block_type in SERVER_TOOLS
        part = ServerTool(
            name=(getattr(block, "name", None) if server_tool else None) or block_type,
            id=getattr(block, "id", None) or getattr(block, "tool_use_id", None),
            data=getattr(block, "input", None) if server_tool else raw_of(block),
        )
        self._blocks[index] = _Block(block_type, self.assembly.ready(part))
        return ()

    def _missing(self, index: int, delta_type: str) -> _Block:
        """Make the block of a delta that came without a start (catalogue AN-025)."""
        self.note("missing_start", f"block {index}")
        block_type = next(block for block, deltas in DELTAS_OF.items() if delta_type in deltas)
        slot = _SLOTS[block_type](self.assembly) if block_type in _SLOTS else None
        block = self._blocks[index] = _Block(block_type, slot)
        return block

    def _close(self, index: int) -> Sequence[Chunk]:
        block = self._blocks.get(index)
        if block is None or not block.open:
            self.note("stop_without_start", f"block {index}")
            return ()
        block.open = False
        slot = block.slot
        chunks: Sequence[Chunk] = ()
        if isinstance(slot, Call):
            if slot.empty and block.placeholder:
                chunks = slot.add(json.dumps(block.placeholder, ensure_ascii=False))
            slot.close()
        elif isinstance(slot, Ready) and block.grown and isinstance(slot.content, ServerTool):
            text = "".join(block.grown)
            data = parse_arguments(text)
            slot.content = slot.content.model_copy(update={"data": text if data is None else data})
        return chunks

    # Deltas

    def _text_delta(self, block: _Block, delta: Any) -> Sequence[Chunk]:
        return self._words(block, "text_delta", delta.text)

    def _thinking_delta(self, block: _Block, delta: Any) -> Sequence[Chunk]:
        return self._words(block, "thinking_delta", delta.thinking)

    def _words(self, block: _Block, delta_type: str, words: str | None) -> Sequence[Chunk]:
        slot = block.slot
        if isinstance(slot, Prose) and delta_type in DELTAS_OF[block.type]:
            return (slot.add(words),) if words else ()
        return self._misplaced(block, delta_type)

    def _signature_delta(self, block: _Block, delta: Any) -> Sequence[Chunk]:
        if not isinstance(block.slot, Prose) or block.type != "thinking":
            return self._misplaced(block, "signature_delta")
        if delta.signature:
            block.slot.sign(delta.signature)
        return ()

    def _citations_delta(self, block: _Block, delta: Any) -> Sequence[Chunk]:
        if not isinstance(block.slot, Prose) or block.type != "text":
            return self._misplaced(block, "citations_delta")
        block.slot.citations.append(raw_of(delta.citation))
        return ()

    def _input_delta(self, block: _Block, delta: Any) -> Sequence[Chunk]:
        if isinstance(block.slot, Call):
            return block.slot.add(delta.partial_json) if delta.partial_json else ()
        return self._grow(block, "input_json_delta", delta.partial_json)

    def _compaction_delta(self, block: _Block, delta: Any) -> Sequence[Chunk]:
        return self._grow(block, "compaction_delta", delta.content)

    def _grow(self, block: _Block, delta_type: str, fragment: str | None) -> Sequence[Chunk]:
        if delta_type not in DELTAS_OF.get(block.type, (delta_type,)):
            return self._misplaced(block, delta_type)
        if fragment:
            block.grown.append(fragment)
        return ()

    def _misplaced(self, block: _Block, delta_type: str) -> Sequence[Chunk]:
        """Refuse a delta that cannot grow its block; a block nobody knows takes anything."""
        if block.type not in DELTAS_OF:
            return ()
        raise protocol_error(f"{delta_type} cannot grow a {block.type} block")

    # Usage

    def _count(self, usage: Any) -> None:
        """Take over what a usage object reports; fields it leaves out keep their last value."""
        if usage is None:
            return
        self.raw_usage = raw_of(usage)
        self._counts.update(counts_of(usage, USAGE))
        counts = dict(self._counts)
        if "input" in counts:
            counts["input"] += counts.get("cached", 0) + counts.get("cache_write", 0)
        self.usage = usage_of(counts)

    events: ClassVar[Mapping[str | None, Handler]] = {
        "message_start": _message_start,
        "content_block_start": _block_start,
        "content_block_delta": _block_delta,
        "content_block_stop": _block_stop,
        "message_delta": _message_delta,
        "message_stop": _message_stop,
        "ping": _ping,
        "error": _provider_error,
    }
    deltas: ClassVar[Mapping[str | None, Grower]] = {
        "text_delta": _text_delta,
        "thinking_delta": _thinking_delta,
        "signature_delta": _signature_delta,
        "citations_delta": _citations_delta,
        "input_json_delta": _input_delta,
        "compaction_delta": _compaction_delta,
    }
    openers: ClassVar[Mapping[str | None, Opener]] = {
        **dict.fromkeys(DELTAS_OF, _open_whole),
        "text": _open_text,
        "thinking": _open_thinking,
        "redacted_thinking": _open_redacted,
        "tool_use": _open_call,
    }


# How the slot of a block is made whose start never came.
_SLOTS: Mapping[str, Callable[[Assembly], Prose | Call]] = {
    "text": lambda assembly: assembly.prose("text"),
    "thinking": lambda assembly: assembly.prose("reasoning"),
    "tool_use": lambda assembly: assembly.call(),
}
