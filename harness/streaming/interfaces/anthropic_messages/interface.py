"""Anthropic Messages: typed raw events -> chunks and an outcome.

https://docs.claude.com/en/api/messages-streaming

Rules of this file: every block has its own content slot, found by its index, so blocks may overlap;
a tool call is closed by its block's stop, but one without arguments waits for the next event: at
the output limit the provider also stops the block that was cut; content in a block start counts,
and deltas replace it only where it is a placeholder; events after message_stop are not part of the
answer; usage is assigned field by field.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from harness.model import Chunk, RedactedReasoning
from harness.protocols.anthropic_messages.vocabulary import (
    BESIDE_INPUT,
    DELTA_FIELDS,
    DELTAS_OF,
    FINISH,
    MAY_CUT_CALLS,
    REVOKES_CALLS,
    USAGE,
)
from harness.streaming.content import TextBuilder, ToolCallBuilder
from harness.streaming.error_mapping import error_info, info_of, protocol_error
from harness.streaming.interfaces.anthropic_messages.blocks import Block, ServerBlock, items, string
from harness.streaming.interfaces.base import StreamingInterface
from harness.streaming.usage import counts_of, raw_of, usage_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from harness.streaming.content import Slot, TextKind

    Handler: TypeAlias = Callable[["AnthropicMessagesInterface", Any], Sequence[Chunk]]
    DeltaHandler: TypeAlias = Callable[["AnthropicMessagesInterface", Block, Any], Sequence[Chunk]]
    Opener: TypeAlias = Callable[["AnthropicMessagesInterface", int, Any], Sequence[Chunk]]

# Events that are still read after message_stop: the answer is over, but it can still fail.
_AFTER_STOP = frozenset({"ping", "error"})

# Text blocks -> the kind of their part, and the start event's field that may already hold text.
_TEXT_BLOCKS: Mapping[str, tuple[TextKind, str]] = {
    "text": ("text", "text"),
    "thinking": ("reasoning", "thinking"),
}


class AnthropicMessagesInterface(StreamingInterface):
    """The Messages interface; see ``StreamingInterface`` for its arguments and use."""

    protocol: ClassVar[str] = "anthropic_messages"
    finish_reasons = FINISH

    def __init__(self, *, requires_approval: Iterable[str] = (), model: str | None = None) -> None:
        super().__init__(requires_approval=requires_approval, model=model)
        self._started = self._stopped = False
        self._blocks: dict[int, Block] = {}
        # A call whose block was stopped without any arguments: complete, or cut.
        self._unconfirmed: ToolCallBuilder | None = None
        self._counts: dict[str, int] = {}

    def handle(self, event: Any) -> Sequence[Chunk]:
        """Take one raw message event; return its chunks."""
        name = getattr(event, "type", None)
        if name == "content_block_delta" and not self._stopped:
            delta, block = getattr(event, "delta", None), self._blocks.get(event.index)
            if block is not None and block.open and getattr(delta, "type", None) == block.usual:
                fragment = getattr(delta, block.field, None)
                if type(fragment) is str:  # the fast path: nearly all events of a stream
                    return block.append(fragment) if fragment else ()
        handler = self.events.get(name)
        if handler is None:
            return self.note_unknown("event", name or type(event).__name__)
        if self._stopped and name not in _AFTER_STOP:
            self.note("after_message_stop", name)
            return ()
        return handler(self, event)

    # Events

    def _message_start(self, event: Any) -> Sequence[Chunk]:
        if self._started:
            self.note("message_start_again")
            self._blocks.clear()  # another message: its indexes start at 0 again
        self._started = True
        message = getattr(event, "message", None)
        self.response_id = string(getattr(message, "id", None)) or self.response_id
        self.model = string(getattr(message, "model", None)) or self.model
        self._take_usage(getattr(message, "usage", None))
        chunks: list[Chunk] = []
        for position, block in enumerate(items(getattr(message, "content", None))):
            index = -1 - position  # the message has content already; no events follow for it
            chunks += self._open(index, block)
            chunks += self._close(index)
        self._take_stop_reason(string(getattr(message, "stop_reason", None)))
        return chunks

    def _block_start(self, event: Any) -> Sequence[Chunk]:
        return self._open(event.index, getattr(event, "content_block", None))

    def _block_delta(self, event: Any) -> Sequence[Chunk]:
        delta = getattr(event, "delta", None)
        delta_type = getattr(delta, "type", None)
        block = self._blocks.get(event.index)
        handler = self.deltas.get(delta_type)
        if handler is None or delta_type is None:
            return self.note_unknown("delta", delta_type)
        if block is None:
            block = self._open_missing(event.index, delta_type)
        elif not block.open:
            self._note_late_delta(event.index, block)
        return handler(self, block, delta)

    def _block_stop(self, event: Any) -> Sequence[Chunk]:
        return self._close(event.index)

    def _message_delta(self, event: Any) -> Sequence[Chunk]:
        self._take_usage(getattr(event, "usage", None))
        delta = getattr(event, "delta", None)
        category = getattr(getattr(delta, "stop_details", None), "category", None)
        if category:
            self.note("refusal", category)
        self._take_stop_reason(string(getattr(delta, "stop_reason", None)))
        return ()

    def _message_stop(self, _: Any) -> Sequence[Chunk]:
        for index, block in self._blocks.items():
            if block.open:
                self.note("malformed", f"message_stop while block {index} is open")
        if self.finish_raw is None:
            self.note("malformed", "message_stop without a stop_reason")
        self.record_terminal(None)
        self._stopped = True
        return ()

    def _ping(self, _: Any) -> Sequence[Chunk]:
        return ()

    def _provider_error(self, event: Any) -> Sequence[Chunk]:
        self.record_error(error_info(getattr(event, "error", None)))
        return ()

    # Why it stopped

    def _take_stop_reason(self, raw: str | None) -> None:
        """Take a stop reason: it is terminal, with or without a message_stop after it (AN-014)."""
        if raw is None:
            return
        self.record_terminal(raw)
        if FINISH.get(raw) == "error":
            self.record_error(info_of("server", code=raw, message=f"stop_reason {raw!r}"))
        self._apply_finish()

    def _apply_finish(self) -> None:
        """Reopen or confirm calls whose blocks were stopped, as the stop reason requires."""
        finish = FINISH.get(self.finish_raw or "", "unknown")
        if finish in REVOKES_CALLS:
            for call in self.assembly.calls:
                call.reopen()
        elif finish not in MAY_CUT_CALLS:
            self._confirm_call()

    def _confirm_call(self) -> None:
        """Close the call without arguments: a later event shows that it was not cut."""
        if self._unconfirmed is not None:
            self._unconfirmed.close()
            self._unconfirmed = None

    # Blocks

    def _open(self, index: int, start: Any) -> Sequence[Chunk]:
        self._confirm_call()  # the answer went on
        block_type = getattr(start, "type", None)
        opener = self.openers.get(block_type)
        if opener is None:
            self.note_unknown("block", block_type)
            return self._open_server_block(index, start)
        return opener(self, index, start)

    def _open_text(self, index: int, start: Any) -> Sequence[Chunk]:
        kind, field = _TEXT_BLOCKS[start.type]
        slot = self._restarted(index, start.type)
        if not isinstance(slot, TextBuilder):
            slot = self.assembly.open_text(kind)
            self._blocks[index] = Block(start.type, slot)
        slot.citations.extend(map(raw_of, items(getattr(start, "citations", None))))
        signature = string(getattr(start, "signature", None))
        if signature:
            slot.add_signature(signature)
        return self._add_text(slot, getattr(start, field, None))

    def _open_redacted(self, index: int, start: Any) -> Sequence[Chunk]:
        data = string(getattr(start, "data", None)) or ""
        slot = self.assembly.add_part(RedactedReasoning(data=data))
        self._blocks[index] = Block(start.type, slot)
        return (Chunk("redacted_reasoning", part=slot.part, data=data),)

    def _open_call(self, index: int, start: Any) -> Sequence[Chunk]:
        call_id, name = string(getattr(start, "id", None)), string(getattr(start, "name", None))
        slot = self._restarted(index, start.type, call_id)
        if not isinstance(slot, ToolCallBuilder):
            slot = self.assembly.open_call()
        slot.id, slot.name = slot.id or call_id, slot.name or name
        self._blocks[index] = Block(start.type, slot, getattr(start, "input", None))
        return slot.announce()

    def _open_server_block(self, index: int, start: Any) -> Sequence[Chunk]:
        block_type = str(getattr(start, "type", None))
        self._blocks[index] = ServerBlock(self.assembly, block_type, start)
        return ()

    def _restarted(self, index: int, block_type: str, call_id: str | None = None) -> Slot | None:
        """Return the slot of an open block that is started again: by a late or repeated event.

        A call with another id is another call.
        """
        block = self._blocks.get(index)
        if block is None or not block.open or block.type != block_type:
            return None
        if isinstance(block.slot, ToolCallBuilder) and block.slot.id not in {None, call_id}:
            return None
        self.note("start_again", f"block {index}")
        return block.slot

    def _open_missing(self, index: int, delta_type: str) -> Block:
        """Open the block of a delta that had no start event (catalogue AN-025)."""
        self.note("missing_start", f"block {index}")
        block_type = next(block for block, deltas in DELTAS_OF.items() if delta_type in deltas)
        if block_type in _TEXT_BLOCKS:
            block = Block(block_type, self.assembly.open_text(_TEXT_BLOCKS[block_type][0]))
        elif block_type == "tool_use":
            block = Block(block_type, self.assembly.open_call())
        else:
            block = ServerBlock(self.assembly, block_type)
        self._blocks[index] = block
        return block

    def _note_late_delta(self, index: int, block: Block) -> None:
        """Note a delta after its block's stop; it is kept, but such a call is incomplete."""
        self.note("delta_after_stop", f"block {index}")
        if isinstance(block.slot, ToolCallBuilder):
            block.slot.reopen()

    def _close(self, index: int) -> Sequence[Chunk]:
        block = self._blocks.get(index)
        if block is None or not block.open:
            self.note("stray_stop", f"block {index}")
            return ()
        block.open = False
        return (
            self._close_call(block.slot, block.start_input)
            if isinstance(block.slot, ToolCallBuilder)
            else ()
        )

    def _close_call(self, call: ToolCallBuilder, start_input: Any) -> Sequence[Chunk]:
        chunks: Sequence[Chunk] = ()
        if call.empty and start_input:
            chunks = call.add(string(start_input) or json.dumps(start_input, ensure_ascii=False))
        if call.blank:
            self._unconfirmed = call
        else:
            call.close()
        if self.diagnostics.terminal_seen:
            self._apply_finish()  # the stop reason came too early
        return chunks

    # Deltas

    def _text_delta(self, block: Block, delta: Any) -> Sequence[Chunk]:
        slot = block.slot
        if isinstance(slot, TextBuilder) and delta.type in DELTAS_OF[block.type]:
            return self._add_text(slot, getattr(delta, DELTA_FIELDS[delta.type][0], None))
        return self._server_delta(block, delta)

    def _signature_delta(self, block: Block, delta: Any) -> Sequence[Chunk]:
        if not isinstance(block.slot, TextBuilder) or block.type != "thinking":
            return self._server_delta(block, delta)
        signature = string(getattr(delta, "signature", None))
        if signature:
            block.slot.add_signature(signature)
        return ()

    def _citations_delta(self, block: Block, delta: Any) -> Sequence[Chunk]:
        if not isinstance(block.slot, TextBuilder) or block.type != "text":
            return self._server_delta(block, delta)
        block.slot.citations.append(raw_of(getattr(delta, "citation", None)))
        return ()

    def _input_delta(self, block: Block, delta: Any) -> Sequence[Chunk]:
        if not isinstance(block.slot, ToolCallBuilder):
            return self._server_delta(block, delta)
        fragment = string(getattr(delta, "partial_json", None))
        return block.slot.add(fragment) if fragment else ()

    def _server_delta(self, block: Block, delta: Any) -> Sequence[Chunk]:
        """Append to a block of the provider; one of an unknown type takes any delta.

        Raises:
            ProtocolError: the block cannot have such a delta.
        """
        allowed = DELTAS_OF.get(block.type, (delta.type,))
        if not isinstance(block, ServerBlock) or delta.type not in allowed:
            raise protocol_error(f"{delta.type} cannot grow a {block.type} block")
        for field in DELTA_FIELDS[delta.type]:
            fragment = string(getattr(delta, field, None))
            if fragment:
                block.append_to(field, fragment)
        return ()

    def _add_text(self, slot: TextBuilder, fragment: Any) -> Sequence[Chunk]:
        if not fragment:
            return ()
        if not isinstance(fragment, str):
            return self.note_unknown(slot.kind, type(fragment).__name__)
        return slot.add(fragment)

    # Usage

    def _take_usage(self, usage: Any) -> None:
        """Take over what a usage object reports; missing fields keep their last value."""
        if usage is None:
            return
        raw = raw_of(usage)
        if isinstance(raw, dict):
            reported = {field: count for field, count in raw.items() if count is not None}
            self.raw_usage = {**(self.raw_usage or {}), **reported}
        self._counts.update(counts_of(usage, USAGE))
        counts = dict(self._counts)
        if "input" in counts:
            counts["input"] += sum(counts.get(own, 0) for own in BESIDE_INPUT)
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
    deltas: ClassVar[Mapping[str | None, DeltaHandler]] = {
        "text_delta": _text_delta,
        "thinking_delta": _text_delta,
        "signature_delta": _signature_delta,
        "citations_delta": _citations_delta,
        "input_json_delta": _input_delta,
        "compaction_delta": _server_delta,
    }
    openers: ClassVar[Mapping[str | None, Opener]] = {
        **dict.fromkeys(DELTAS_OF, _open_server_block),
        "text": _open_text,
        "thinking": _open_text,
        "redacted_thinking": _open_redacted,
        "tool_use": _open_call,
    }
