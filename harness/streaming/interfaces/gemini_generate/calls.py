"""Gemini's function calls: sent in one piece, streamed, or repeated.

https://ai.google.dev/api/caching#FunctionCall
https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling#streaming-fc

Rules of this file: a call in one piece is closed when it arrives; a streamed one is closed by its
last piece and by nothing else; a call without an id gets one from its number, so a replay gives the
same id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from harness.streaming.error_mapping import protocol_error
from harness.streaming.interfaces.gemini_generate.arguments import StreamedArguments
from harness.streaming.interfaces.gemini_generate.values import compact, signature_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.model import Chunk
    from harness.streaming.content import Assembly, ToolCallBuilder


class _Streamed(NamedTuple):
    """A call whose arguments arrive in pieces."""

    call: ToolCallBuilder
    arguments: StreamedArguments


class _Seen(NamedTuple):
    """The first response that held a call, and its signature there."""

    response: int
    signature: str | None


class FunctionCalls:
    """The calls of one response.

    Args:
        assembly: the content they are added to.
        note: adds a note to the outcome.
    """

    def __init__(self, assembly: Assembly, note: Callable[[str, object], None]) -> None:
        self._assembly, self._note = assembly, note
        self._streamed: _Streamed | None = None
        self._seen: dict[tuple[str | None, str, str], _Seen] = {}

    def take(self, part: Any, value: Any, response: int) -> Sequence[Chunk]:
        """Take one functionCall part; return its chunks.

        Args:
            part: the part, which may be signed.
            value: its function call, or a piece of one.
            response: the number of the response that holds it.

        Raises:
            ProtocolError: the arguments belong to no call, or contradict earlier ones.
        """
        name = getattr(value, "name", None)
        more = bool(getattr(value, "will_continue", None))
        if not name:
            return self._continue(value, more=more)
        if more or getattr(value, "partial_args", None):
            return (*self._start(part, value, name), *self._continue(value, more=more))
        return self._take_complete(part, value, name, response)

    def abandon(self) -> Sequence[Chunk]:
        """End the call being streamed, if there is one; it stays incomplete."""
        streamed, self._streamed = self._streamed, None
        if streamed is None:
            return ()
        self._note("malformed", f"the call of {streamed.call.name} was not closed")
        return streamed.call.add(compact(streamed.arguments.value))

    def _take_complete(self, part: Any, value: Any, name: str, response: int) -> Sequence[Chunk]:
        arguments = compact(getattr(value, "args", None) or {})
        key = getattr(value, "id", None), name, arguments
        if self._repeats(key, _Seen(response, signature_of(part))):
            self._note("repeated_call", name)
            return ()
        call = self._open(part, value, name)
        call.add(arguments)
        call.close()
        return call.announce()

    def _repeats(self, key: tuple[str | None, str, str], now: _Seen) -> bool:
        """Return whether a later response repeats an earlier call (GE-019).

        Equal calls in one response are parallel calls. Across responses, calls with an id, and
        calls whose first occurrence was signed, are the same unless their signatures differ.
        """
        first = self._seen.setdefault(key, now)
        identifiable = key[0] is not None or first.signature is not None
        later = first.response != now.response
        return later and identifiable and now.signature in {None, first.signature}

    def _open(self, part: Any, value: Any, name: str) -> ToolCallBuilder:
        call = self._assembly.open_call(getattr(value, "id", None), name)
        call.id = call.id or f"call_{call.index}"
        call.signature = signature_of(part)
        return call

    def _start(self, part: Any, value: Any, name: str) -> Sequence[Chunk]:
        abandoned = self.abandon()
        call = self._open(part, value, name)
        self._streamed = _Streamed(call, StreamedArguments())
        return (*abandoned, *call.announce())

    def _continue(self, value: Any, *, more: bool) -> Sequence[Chunk]:
        """Take the next piece of the call being streamed; the last one emits the arguments."""
        pieces, full = getattr(value, "partial_args", None), getattr(value, "args", None)
        if self._streamed is None:
            if pieces or full:
                raise protocol_error("a function call has arguments and no name")
            self._note("malformed", "a function call without a name")
            return ()
        call, arguments = self._streamed
        if full:
            arguments.value.update(full)
        arguments.update(pieces or ())
        if more:
            return ()
        self._streamed = None
        chunks = call.add(compact(arguments.value))
        call.close()
        return chunks
