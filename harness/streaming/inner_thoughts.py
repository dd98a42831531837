"""Inner thoughts out of tool arguments, and spoken words out of a tool: a stage over chunks.

Some agents make the model think inside its calls, ``{"inner_thoughts": "…", "city": "Rome"}``, or
speak by calling ``send_message({"message": "…"})``. This stage turns the thoughts into reasoning
and the message into text while they arrive; the other arguments stream on without them. It knows
chunks only, so it serves every protocol.

Rules of this file: argument chunks of a call still add up to its arguments_raw; every call is read
on its own, so parallel calls may interleave; what is no JSON object passes unchanged.
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


class Speech(NamedTuple):
    """The tool whose call is speech, and the argument that holds the words."""

    tool: str = "send_message"
    argument: str = "message"


SEND_MESSAGE = Speech()


class _Call:
    """One call being read: the ordinals of its two parts, and what was shown of each."""

    def __init__(self, kind: ChunkKind, opening: Chunk, part: int, index: int) -> None:
        self.kind, self.id, self.index = kind, opening.id, index
        self.thought_part, self.part = part, part + 1
        self.reader = ObjectReader()
        self.thoughts: list[str] = []
        self.shown: list[str] = []  # argument text, or the words of a speech
        self.key: str | None = None
        self.members = 0


class InnerThoughts:
    """The stage; one instance serves one stream.

    Args:
        thoughts: the argument that holds thoughts.
        speech: the tool that speaks, or None where none does.
    """

    def __init__(
        self, thoughts: str = "inner_thoughts", speech: Speech | None = SEND_MESSAGE
    ) -> None:
        self._thoughts, self._speech = thoughts, speech
        self._parts: dict[int | None, int] = {}
        self._count = 0
        self._calls: dict[int | None, _Call] = {}
        self._spoken: set[int | None] = set()
        self._chunks: list[Chunk] = []

    def feed(self, chunk: Chunk) -> Sequence[Chunk]:
        """Take one chunk; return what it becomes."""
        if chunk.kind in _CALLS:
            found = tuple(self._call(chunk))
        elif chunk.kind == "stop_reason" and chunk.finish is not None:
            found = (chunk._replace(finish=self._finish(chunk.finish)),)
        elif chunk.part is None:
            found = (chunk,)
        else:
            found = (chunk._replace(part=self._part(chunk.part)),)
        self._chunks += found
        return found

    def outcome(self, outcome: Outcome) -> Outcome:
        """Return an interface's outcome as this stage has shown it.

        Args:
            outcome: that of the stream whose chunks were fed.
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
        """Return the new ordinal of a part; calls before it may have become two."""
        if part not in self._parts:
            self._parts[part] = self._count
            self._count += 1
        return self._parts[part]

    def _finish(self, finish: FinishReason) -> FinishReason:
        """A turn whose calls were all speech has stopped, and waits for nobody."""
        spoke_only = self._spoken and len(self._spoken) == len(self._calls)
        return "stop" if finish == "tool_calls" and spoke_only else finish

    def _call(self, chunk: Chunk) -> Iterator[Chunk]:
        call = self._calls.get(chunk.index)
        if call is None:
            call = self._open(chunk)
            if chunk.index not in self._spoken:
                yield Chunk(call.kind, None, call.part, call.index, call.id, chunk.name)
        for piece in call.reader.feed(chunk.arguments or ""):
            yield from self._member(call, piece, speaks=chunk.index in self._spoken)

    def _open(self, chunk: Chunk) -> _Call:
        index = len(self._calls) - len(self._spoken)
        call = _Call(chunk.kind, chunk, self._count, index)
        self._count += 2
        self._calls[chunk.index] = call
        if self._speech is not None and chunk.name == self._speech.tool:
            self._spoken.add(chunk.index)
        return call

    def _member(self, call: _Call, piece: Piece, *, speaks: bool) -> Iterator[Chunk]:
        if piece.kind == "key":
            call.key = piece.text
        if call.key == self._thoughts and piece.kind not in {"close", "stray"}:
            if piece.kind == "words":
                call.thoughts.append(piece.text)
                yield text_chunk("reasoning", piece.text, call.thought_part)
        elif speaks:
            said = self._speech is not None and call.key == self._speech.argument
            if said and piece.kind == "words":
                call.shown.append(piece.text)
                yield text_chunk("text", piece.text, call.part)
        else:
            text = _WRITTEN.get(piece.kind, _nothing)(call, piece)
            if text:
                call.shown.append(text)
                yield Chunk(call.kind, None, call.part, call.index, call.id, None, text)

    def _split(self, call: ToolCall, index: int) -> Iterator[Part]:
        """Return what one call of the outcome has become: thoughts, then the call or the words."""
        seen = self._calls.get(index)
        if seen is None:  # never shown, so nothing was read of it
            yield call
            return
        if seen.thoughts:
            yield Reasoning(text="".join(seen.thoughts))
        shown = "".join(seen.shown)
        if index in self._spoken:
            if shown:
                yield Text(text=shown)
            return
        arguments = call.arguments
        if arguments is not None:
            arguments = {key: value for key, value in arguments.items() if key != self._thoughts}
        yield call.model_copy(update={"arguments_raw": shown, "arguments": arguments})


def _key(call: _Call, piece: Piece) -> str:
    call.members += 1
    return f"{'{' if call.members == 1 else ','}{json.dumps(piece.text, ensure_ascii=False)}:"


def _text(_: _Call, piece: Piece) -> str:
    return piece.text


def _close(call: _Call, _: Piece) -> str:
    return "}" if call.members else "{}"


def _nothing(_: _Call, __: Piece) -> str:
    return ""


# How each piece of an object is written again, once a member before it may be gone.
_WRITTEN: Mapping[Kind, Callable[[_Call, Piece], str]] = {
    "key": _key,
    "raw": _text,
    "stray": _text,
    "close": _close,
}
