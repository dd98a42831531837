"""Reasoning in a tool argument, and text in a message tool: a stage over chunks.

Part of the API of the streaming system, for products whose agents use one of two conventions: the
model reasons in an argument of its calls, ``{"inner_thoughts": "…", "city": "Rome"}``, or answers
by calling a tool, ``send_message({"message": "…"})``. This stage turns that argument into reasoning
and that message into text while they arrive, and streams the other arguments without them. It reads
chunks only, so it works with every protocol. Nothing else here imports it.

Rules of this file: the argument chunks of a call still add up to its ``arguments_raw``; each call
is read separately, so parallel calls may interleave; arguments that are not a JSON object pass
unchanged.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from harness.model import Chunk, Reasoning, Text, ToolCall, text_chunk
from harness.streaming.json_members import ObjectReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from harness.model import ChunkKind, FinishReason, Outcome, Part
    from harness.streaming.json_members import Kind, Piece

_CALLS = frozenset({"tool_call", "approval_request"})


class MessageTool(NamedTuple):
    """The tool whose call is a message, and the argument that holds its text."""

    tool: str = "send_message"
    argument: str = "message"


SEND_MESSAGE = MessageTool()


class _Call:
    """One call being read: the ordinals of its two parts, and what was emitted of each."""

    def __init__(self, kind: ChunkKind, opening: Chunk, part: int, index: int) -> None:
        self.kind, self.id, self.index = kind, opening.id, index
        self.thought_part, self.part = part, part + 1
        self.reader = ObjectReader()
        self.thoughts: list[str] = []
        self.emitted: list[str] = []  # arguments, or the text of a message
        self.key: str | None = None
        self.members = 0


class InnerThoughts:
    """The stage; one instance serves one stream.

    Args:
        thoughts: the argument that holds reasoning.
        message_tool: the tool whose calls are messages, or None.
    """

    def __init__(
        self, thoughts: str = "inner_thoughts", message_tool: MessageTool | None = SEND_MESSAGE
    ) -> None:
        self._thoughts, self._message_tool = thoughts, message_tool
        self._parts: dict[int | None, int] = {}
        self._count = 0
        self._calls: dict[int | None, _Call] = {}
        self._messages: set[int | None] = set()
        self._chunks: list[Chunk] = []

    def feed(self, chunk: Chunk) -> Sequence[Chunk]:
        """Take one chunk; return what it becomes."""
        if chunk.kind in _CALLS:
            chunks = tuple(self._call(chunk))
        elif chunk.kind == "stop_reason" and chunk.finish is not None:
            chunks = (chunk._replace(finish=self._finish(chunk.finish)),)
        elif chunk.part is None:
            chunks = (chunk,)
        else:
            chunks = (chunk._replace(part=self._part(chunk.part)),)
        self._chunks += chunks
        return chunks

    def outcome(self, outcome: Outcome) -> Outcome:
        """Return an interface's outcome with the content this stage has emitted.

        Args:
            outcome: the outcome of the stream whose chunks were fed.
        """
        content: list[Part] = []
        index = 0
        for part in outcome.content:
            if isinstance(part, ToolCall):
                content += self._split(part, index)
                index += 1
            else:
                content.append(part)
        finish = self._finish(outcome.finish)
        update = {"chunks": tuple(self._chunks), "content": tuple(content), "finish": finish}
        return outcome.model_copy(update=update)

    def _part(self, part: int) -> int:
        """Return the new ordinal of a part: a call before it may have become two parts."""
        if part not in self._parts:
            self._parts[part] = self._count
            self._count += 1
        return self._parts[part]

    def _finish(self, finish: FinishReason) -> FinishReason:
        """Report a turn whose calls were all messages as stopped: no tool result is expected."""
        only_messages = self._messages and len(self._messages) == len(self._calls)
        return "stop" if finish == "tool_calls" and only_messages else finish

    def _call(self, chunk: Chunk) -> Iterator[Chunk]:
        call = self._calls.get(chunk.index)
        if call is None:
            call = self._open(chunk)
            if chunk.index not in self._messages:
                yield Chunk(call.kind, None, call.part, call.index, call.id, chunk.name)
        for piece in call.reader.feed(chunk.arguments or ""):
            yield from self._member(call, piece, is_message=chunk.index in self._messages)

    def _open(self, chunk: Chunk) -> _Call:
        index = len(self._calls) - len(self._messages)
        call = _Call(chunk.kind, chunk, self._count, index)
        self._count += 2
        self._calls[chunk.index] = call
        if self._message_tool is not None and chunk.name == self._message_tool.tool:
            self._messages.add(chunk.index)
        return call

    def _member(self, call: _Call, piece: Piece, *, is_message: bool) -> Iterator[Chunk]:
        if piece.kind == "key":
            call.key = piece.text
        if call.key == self._thoughts and piece.kind not in {"close", "stray"}:
            if piece.kind == "text":
                call.thoughts.append(piece.text)
                yield text_chunk("reasoning", piece.text, call.thought_part)
        elif is_message:
            in_text = self._message_tool is not None and call.key == self._message_tool.argument
            if in_text and piece.kind == "text":
                call.emitted.append(piece.text)
                yield text_chunk("text", piece.text, call.part)
        else:
            text = _ENCODERS.get(piece.kind, _nothing)(call, piece)
            if text:
                call.emitted.append(text)
                yield Chunk(call.kind, None, call.part, call.index, call.id, None, text)

    def _split(self, call: ToolCall, index: int) -> Iterator[Part]:
        """Yield the parts that a call has become: reasoning, then the call or the text."""
        seen = self._calls.get(index)
        if seen is None:  # it produced no chunk, so nothing was read
            yield call
            return
        if seen.thoughts:
            yield Reasoning(text="".join(seen.thoughts))
        emitted = "".join(seen.emitted)
        if index in self._messages:
            if emitted:
                yield Text(text=emitted)
            return
        arguments = call.arguments
        if arguments is not None:
            arguments = {key: value for key, value in arguments.items() if key != self._thoughts}
        yield call.model_copy(update={"arguments_raw": emitted, "arguments": arguments})


def _key(call: _Call, piece: Piece) -> str:
    call.members += 1
    return f"{'{' if call.members == 1 else ','}{json.dumps(piece.text, ensure_ascii=False)}:"


def _text(_: _Call, piece: Piece) -> str:
    return piece.text


def _close(call: _Call, _: Piece) -> str:
    return "}" if call.members else "{}"


def _nothing(_: _Call, __: Piece) -> str:
    return ""


# How each piece of an object is encoded again, as a member before it may have been removed.
_ENCODERS: Mapping[Kind, Callable[[_Call, Piece], str]] = {
    "key": _key,
    "raw": _text,
    "stray": _text,
    "close": _close,
}
