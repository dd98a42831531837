"""Anthropic Messages: typed raw events -> chunks and an outcome.

https://docs.claude.com/en/api/messages-streaming

Rules of this file: every block grows in its own slot, found by its index, so blocks may overlap;
a tool call is closed by its block's stop, but one without arguments waits for what follows: at the
output limit the provider stops the block it was cut in, too; what a block start already carries
counts, and is replaced by deltas only where it is a placeholder; what comes after the message_stop
is no part of the answer; usage is assigned, field by field.
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
from harness.streaming.interfaces.anthropic_messages.blocks import Block, ServedBlock, items, string
from harness.streaming.interfaces.base import StreamingInterface
from harness.streaming.usage import counts_of, raw_of, usage_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from harness.model import Outcome
    from harness.streaming.content import Slot, TextKind

    Handler: TypeAlias = Callable[["AnthropicMessagesInterface", Any], Sequence[Chunk]]
    Grower: TypeAlias = Callable[["AnthropicMessagesInterface", Block, Any], Sequence[Chunk]]
    Opener: TypeAlias = Callable[["AnthropicMessagesInterface", int, Any], Sequence[Chunk]]

# What still counts after a message_stop: the answer is over, a failure can yet be told.
_AFTER_STOP = frozenset({"ping", "error"})

# Blocks made of words: the kind of the part, and the start's field that may already hold some.
_PROSE: Mapping[str, tuple[TextKind, str]] = {
    "text": ("text", "text"),
    "thinking": ("reasoning", "thinking"),
}


class AnthropicMessagesInterface(StreamingInterface):
    """The Messages interface; see ``StreamingInterface`` for its arguments and use."""

    protocol: ClassVar[str] = "anthropic_messages"
    finish_words = FINISH

    def __init__(self, *, requires_approval: Iterable[str] = (), model: str | None = None) -> None:
        super().__init__(requires_approval=requires_approval, model=model)
        self._started = self._stopped = False
        self._blocks: dict[int, Block] = {}
        self._served: list[ServedBlock] = []
        self._bare: ToolCallBuilder | None = None  # stopped, and nothing but its name came
        self._counts: dict[str, int] = {}

    def handle(self, event: Any) -> Sequence[Chunk]:
        """Take one raw message event; return its chunks."""
        word = getattr(event, "type", None)
        if word == "content_block_delta" and not self._stopped:
            delta, block = getattr(event, "delta", None), self._blocks.get(event.index)
            if block is not None and block.open and getattr(delta, "type", None) == block.usual:
                fragment = getattr(delta, block.field, None)
                if type(fragment) is str:  # nearly every event of a stream: the shortest way for it
                    return block.take(fragment) if fragment else ()
        handler = self.events.get(word)
        if handler is None:
            return self.unknown("event", word or type(event).__name__)
        if self._stopped and word not in _AFTER_STOP:
            self.note("after_message_stop", word)
            return ()
        return handler(self, event)

    def outcome(self) -> Outcome:
        """Return everything delivered so far."""
        for block in self._served:
            block.settle()
        return super().outcome()

    # Events

    def _message_start(self, event: Any) -> Sequence[Chunk]:
        if self._started:
            self.note("message_start_again")
            self._blocks.clear()  # another message: its indexes start again
        self._started = True
        message = getattr(event, "message", None)
        self.response_id = string(getattr(message, "id", None)) or self.response_id
        self.model = string(getattr(message, "model", None)) or self.model
        self._count(getattr(message, "usage", None))
        chunks: list[Chunk] = []
        for place, block in enumerate(items(getattr(message, "content", None))):
            index = -1 - place  # the message came whole; its blocks have no events of their own
            chunks += self._open(index, block)
            chunks += self._close(index)
        self._stop(string(getattr(message, "stop_reason", None)))
        return chunks

    def _block_start(self, event: Any) -> Sequence[Chunk]:
        return self._open(event.index, getattr(event, "content_block", None))

    def _block_delta(self, event: Any) -> Sequence[Chunk]:
        delta = getattr(event, "delta", None)
        delta_type = getattr(delta, "type", None)
        block = self._blocks.get(event.index)
        grow = self.deltas.get(delta_type)
        if grow is None or delta_type is None:
            return self.unknown("delta", delta_type)
        if block is None:
            block = self._missing(event.index, delta_type)
        elif not block.open:
            self._late(event.index, block)
        return grow(self, block, delta)

    def _block_stop(self, event: Any) -> Sequence[Chunk]:
        return self._close(event.index)

    def _message_delta(self, event: Any) -> Sequence[Chunk]:
        self._count(getattr(event, "usage", None))
        delta = getattr(event, "delta", None)
        category = getattr(getattr(delta, "stop_details", None), "category", None)
        if category:
            self.note("refusal", category)
        self._stop(string(getattr(delta, "stop_reason", None)))
        return ()

    def _message_stop(self, _: Any) -> Sequence[Chunk]:
        for index, block in self._blocks.items():
            if block.open:
                self.note("malformed", f"message_stop while block {index} is open")
        if self.finish_raw is None:
            self.note("malformed", "message_stop without a stop_reason")
        self.terminal(None)
        self._stopped = True
        return ()

    def _ping(self, _: Any) -> Sequence[Chunk]:
        return ()

    def _provider_error(self, event: Any) -> Sequence[Chunk]:
        self.failed(error_info(getattr(event, "error", None)))
        return ()

    # Why it stopped

    def _stop(self, word: str | None) -> None:
        """Take a stop reason: the terminal, whether or not a message_stop follows it (AN-014)."""
        if word is None:
            return
        self.terminal(word)
        if FINISH.get(word) == "error":
            self.failed(info_of("server", code=word, message=f"stop_reason {word!r}"))
        self._judge_calls()

    def _judge_calls(self) -> None:
        """Let the stop reason decide on calls whose blocks were closed."""
        finish = FINISH.get(self.finish_raw or "", "unknown")
        if finish in REVOKES_CALLS:
            for call in self.assembly.calls:
                call.reopen()
        elif finish not in MAY_CUT_CALLS:
            self._trust_bare()

    def _trust_bare(self) -> None:
        """Close the call without arguments that waited for a sign that it was not cut."""
        if self._bare is not None:
            self._bare.close()
            self._bare = None

    # Blocks

    def _open(self, index: int, start: Any) -> Sequence[Chunk]:
        self._trust_bare()  # the answer went on after it
        block_type = getattr(start, "type", None)
        opener = self.openers.get(block_type)
        if opener is None:
            self.unknown("block", block_type)
            return self._open_served(index, start)
        return opener(self, index, start)

    def _open_prose(self, index: int, start: Any) -> Sequence[Chunk]:
        kind, field = _PROSE[start.type]
        slot = self._again(index, start.type)
        if not isinstance(slot, TextBuilder):
            slot = self.assembly.prose(kind)
            self._blocks[index] = Block(start.type, slot)
        slot.citations.extend(map(raw_of, items(getattr(start, "citations", None))))
        signature, words = string(getattr(start, "signature", None)), getattr(start, field, None)
        if signature:
            slot.sign(signature)
        return self._say(slot, words)

    def _open_redacted(self, index: int, start: Any) -> Sequence[Chunk]:
        data = string(getattr(start, "data", None)) or ""
        slot = self.assembly.ready(RedactedReasoning(data=data))
        self._blocks[index] = Block(start.type, slot)
        return (Chunk("redacted_reasoning", part=slot.part, data=data),)

    def _open_call(self, index: int, start: Any) -> Sequence[Chunk]:
        call_id, name = string(getattr(start, "id", None)), string(getattr(start, "name", None))
        slot = self._again(index, start.type, call_id)
        if not isinstance(slot, ToolCallBuilder):
            slot = self.assembly.call()
        slot.id, slot.name = slot.id or call_id, slot.name or name
        self._blocks[index] = Block(start.type, slot, getattr(start, "input", None))
        return slot.announce()

    def _open_served(self, index: int, start: Any) -> Sequence[Chunk]:
        block = ServedBlock(self.assembly, str(getattr(start, "type", None)), start)
        self._blocks[index] = block
        self._served.append(block)
        return ()

    def _again(self, index: int, block_type: str, call_id: str | None = None) -> Slot | None:
        """Return the slot of an open block that starts again: a late start, or a frame sent twice.

        A call with another id is another call.
        """
        block = self._blocks.get(index)
        if block is None or not block.open or block.type != block_type:
            return None
        if isinstance(block.slot, ToolCallBuilder) and block.slot.id not in {None, call_id}:
            return None
        self.note("start_again", f"block {index}")
        return block.slot

    def _missing(self, index: int, delta_type: str) -> Block:
        """Make the block of a delta that came without a start (catalogue AN-025)."""
        self.note("missing_start", f"block {index}")
        block_type = next(block for block, deltas in DELTAS_OF.items() if delta_type in deltas)
        if block_type in _PROSE:
            block = Block(block_type, self.assembly.prose(_PROSE[block_type][0]))
        elif block_type == "tool_use":
            block = Block(block_type, self.assembly.call())
        else:
            block = ServedBlock(self.assembly, block_type)
            self._served.append(block)
        self._blocks[index] = block
        return block

    def _late(self, index: int, block: Block) -> None:
        """Take a delta after its block's stop: nothing is lost, but no such call may run."""
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
            self._close_call(block.slot, block.placeholder)
            if isinstance(block.slot, ToolCallBuilder)
            else ()
        )

    def _close_call(self, call: ToolCallBuilder, placeholder: Any) -> Sequence[Chunk]:
        chunks: Sequence[Chunk] = ()
        if call.empty and placeholder:
            whole = string(placeholder) or json.dumps(placeholder, ensure_ascii=False)
            chunks = call.add(whole)
        if call.blank:
            self._bare = call
        else:
            call.close()
        if self.diagnostics.terminal_seen:
            self._judge_calls()  # the stop reason came too early
        return chunks

    # Deltas

    def _words_delta(self, block: Block, delta: Any) -> Sequence[Chunk]:
        slot = block.slot
        if isinstance(slot, TextBuilder) and delta.type in DELTAS_OF[block.type]:
            return self._say(slot, getattr(delta, DELTA_FIELDS[delta.type][0], None))
        return self._served_delta(block, delta)

    def _signature_delta(self, block: Block, delta: Any) -> Sequence[Chunk]:
        if not isinstance(block.slot, TextBuilder) or block.type != "thinking":
            return self._served_delta(block, delta)
        signature = string(getattr(delta, "signature", None))
        if signature:
            block.slot.sign(signature)
        return ()

    def _citations_delta(self, block: Block, delta: Any) -> Sequence[Chunk]:
        if not isinstance(block.slot, TextBuilder) or block.type != "text":
            return self._served_delta(block, delta)
        block.slot.citations.append(raw_of(getattr(delta, "citation", None)))
        return ()

    def _input_delta(self, block: Block, delta: Any) -> Sequence[Chunk]:
        if not isinstance(block.slot, ToolCallBuilder):
            return self._served_delta(block, delta)
        fragment = string(getattr(delta, "partial_json", None))
        return block.slot.add(fragment) if fragment else ()

    def _served_delta(self, block: Block, delta: Any) -> Sequence[Chunk]:
        """Let a block that is neither words nor a call grow; one nobody knows takes anything.

        Raises:
            ProtocolError: this delta cannot grow this block.
        """
        takes = DELTAS_OF.get(block.type, (delta.type,))
        if not isinstance(block, ServedBlock) or delta.type not in takes:
            raise protocol_error(f"{delta.type} cannot grow a {block.type} block")
        for field in DELTA_FIELDS[delta.type]:
            fragment = string(getattr(delta, field, None))
            if fragment:
                block.grow(field, fragment)
        return ()

    def _say(self, slot: TextBuilder, words: Any) -> Sequence[Chunk]:
        if not words:
            return ()
        if not isinstance(words, str):
            return self.unknown(slot.kind, type(words).__name__)
        return slot.add(words)

    # Usage

    def _count(self, usage: Any) -> None:
        """Take over what a usage object reports; fields it leaves out keep their last value."""
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
    deltas: ClassVar[Mapping[str | None, Grower]] = {
        "text_delta": _words_delta,
        "thinking_delta": _words_delta,
        "signature_delta": _signature_delta,
        "citations_delta": _citations_delta,
        "input_json_delta": _input_delta,
        "compaction_delta": _served_delta,
    }
    openers: ClassVar[Mapping[str | None, Opener]] = {
        **dict.fromkeys(DELTAS_OF, _open_served),
        "text": _open_prose,
        "thinking": _open_prose,
        "redacted_thinking": _open_redacted,
        "tool_use": _open_call,
    }
