"""Gemini's function calls: whole ones, streamed ones, and ones that are sent again.

https://ai.google.dev/api/caching#FunctionCall
https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling#streaming-fc

Rules of this file: a call that arrives whole is closed as it arrives; a streamed one is closed by
its last piece and by nothing else; an id the provider did not send is the call's number, so that a
replay gives the same.
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
    """A call whose arguments come in pieces."""

    call: ToolCallBuilder
    arguments: StreamedArguments


class _Said(NamedTuple):
    """When a whole call came first, and how it was signed."""

    response: int
    signature: str | None


class FunctionCalls:
    """The calls of one response.

    Args:
        assembly: where they grow.
        note: leaves a note in the outcome.
    """

    def __init__(self, assembly: Assembly, note: Callable[[str, object], None]) -> None:
        self._assembly, self._note = assembly, note
        self._streamed: _Streamed | None = None
        self._whole: dict[tuple[str | None, str, str], _Said] = {}

    def take(self, part: Any, value: Any, response: int) -> Sequence[Chunk]:
        """Take one functionCall part; return its chunks.

        Args:
            part: the part, which may be signed.
            value: its function call, or a piece of one.
            response: the number of the response it stands in.

        Raises:
            ProtocolError: arguments came for no call, or contradict earlier ones.
        """
        name = getattr(value, "name", None)
        more = bool(getattr(value, "will_continue", None))
        if not name:
            return self._continue(value, more=more)
        if more or getattr(value, "partial_args", None):
            return (*self._start(part, value, name), *self._continue(value, more=more))
        return self._take_whole(part, value, name, response)

    def abandon(self) -> Sequence[Chunk]:
        """Give up the call being streamed, if there is one; it stays incomplete."""
        streamed, self._streamed = self._streamed, None
        if streamed is None:
            return ()
        self._note("malformed", f"the call of {streamed.call.name} was not closed")
        return streamed.call.add(compact(streamed.arguments.value))

    def _take_whole(self, part: Any, value: Any, name: str, response: int) -> Sequence[Chunk]:
        arguments = compact(getattr(value, "args", None) or {})
        known, now = (getattr(value, "id", None), name, arguments), signature_of(part)
        if self._again(known, _Said(response, now)):
            self._note("repeated_call", name)
            return ()
        call = self._open(part, value, name)
        call.add(arguments)
        call.close()
        return call.announce()

    def _again(self, known: tuple[str | None, str, str], now: _Said) -> bool:
        """Say whether a call is an earlier one, sent again by a later response (GE-019).

        Equal calls of one response are parallel calls. Between responses an equal id, or an equal
        or missing signature where the first was signed, tells the same call.
        """
        first = self._whole.setdefault(known, now)
        provable = known[0] is not None or first.signature is not None
        later = first.response != now.response
        return later and provable and now.signature in {None, first.signature}

    def _open(self, part: Any, value: Any, name: str) -> ToolCallBuilder:
        call = self._assembly.call(getattr(value, "id", None), name)
        call.id = call.id or f"call_{call.index}"
        call.signature = signature_of(part)
        return call

    def _start(self, part: Any, value: Any, name: str) -> Sequence[Chunk]:
        waiting = self.abandon()
        call = self._open(part, value, name)
        self._streamed = _Streamed(call, StreamedArguments())
        return (*waiting, *call.announce())

    def _continue(self, value: Any, *, more: bool) -> Sequence[Chunk]:
        """Take the next piece of the call being streamed; the last one hands its arguments out."""
        pieces, whole = getattr(value, "partial_args", None), getattr(value, "args", None)
        if self._streamed is None:
            if pieces or whole:
                raise protocol_error("a function call has arguments and no name")
            self._note("malformed", "a function call without a name")
            return ()
        call, arguments = self._streamed
        if whole:
            arguments.value.update(whole)
        arguments.update(pieces or ())
        if more:
            return ()
        self._streamed = None
        chunks = call.add(compact(arguments.value))
        call.close()
        return chunks
