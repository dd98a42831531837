"""Reading an SDK's stream as its documents do: one reader a protocol, one listening for all.

Rules of this file: a reader takes over what an SDK object says and repairs nothing; what is spelled
here for every SDK alike are the words of our own contract (the last chunks, finish, ending).
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any, ClassVar, Self

from harness.model import Chunk, Outcome, Refusal, ToolCall
from harness.protocols import protocol
from harness.streaming.error_mapping import classify
from harness.streaming.interfaces.base import ENDING_OF
from harness.targets.final_objects.common import word

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType

    from harness.model import Ending, ErrorInfo, FinishReason, Part
    from harness.targets.final_objects.common import Final

# Protocols without a finish word for calls or refusals: their documents look at the content.
# https://developers.openai.com/api/docs/guides/function-calling
# https://developers.openai.com/api/docs/guides/structured-outputs (refusals)
# https://ai.google.dev/gemini-api/docs/function-calling
_CONTENT_SAYS: Mapping[str, tuple[tuple[type[Part], FinishReason], ...]] = {
    "openai_responses": ((ToolCall, "tool_calls"), (Refusal, "refusal")),
    "openai_chat": ((Refusal, "refusal"),),
    "gemini_generate": ((ToolCall, "tool_calls"), (Refusal, "refusal")),
}


class Reader:
    """One loop over an SDK's stream.

    A subclass names its ``protocol`` and implements ``read`` and ``said``; ``terminal`` turns True
    when the end came that the provider documents. ``stream`` is the SDK's stream, once it is open,
    for readers that ask it for more than its events.
    """

    protocol: ClassVar[str]
    stream: Any = None
    terminal: bool = False

    def read(self, event: Any) -> Iterable[Chunk]:
        """Take one of the SDK's objects; yield what a reader would show of it."""
        raise NotImplementedError

    async def conclude(self) -> None:
        """Do what the documents do after the loop; nothing where they do nothing."""

    def said(self) -> Final:
        """Return what was read so far."""
        raise NotImplementedError


def _sound(chunk: Chunk) -> Chunk:
    """Return the chunk of what an SDK built without validation.

    Raises:
        TypeError: a fragment is no text, so whoever joins the fragments cannot go on.
    """
    for field in ("text", "arguments", "data"):
        fragment = getattr(chunk, field)
        if not isinstance(fragment, str | None):
            raise TypeError(
                f"{field} of a {chunk.kind} chunk is {type(fragment).__name__}, no text"
            )
    return chunk._replace(id=word(chunk.id), name=word(chunk.name))


def finish_of(protocol_name: str, said: Final) -> FinishReason:
    """Return what a provider's finish word means."""
    found = protocol(protocol_name).finish.get(said.finish_raw or "", "unknown")
    says = _CONTENT_SAYS.get(protocol_name, ()) if found == "stop" else ()
    held = {type(part) for part in said.content}
    return next((finish for kind, finish in says if kind in held), found)


class ReaderListening:
    """Opens a stream on entering, reads it with a reader, closes it on leaving.

    Args:
        opener: makes the context manager that asks for the stream and closes it.
        reader: a new reader.
    """

    def __init__(
        self, opener: Callable[[], AbstractAsyncContextManager[Any]], reader: Reader
    ) -> None:
        self._opener, self._reader = opener, reader
        self._opened: AbstractAsyncContextManager[Any] | None = None
        self._generator: AsyncGenerator[Chunk, None] | None = None
        self._chunks: list[Chunk] = []
        self._error: ErrorInfo | None = None
        self._ended = self._left = False

    async def __aenter__(self) -> Self:
        """Open the stream; raises what the SDK raises where the provider refuses."""
        try:
            self._opened = self._opener()
            stream = await self._opened.__aenter__()
        except Exception as error:
            self._error = classify(error)
            raise
        self._reader.stream = stream
        self._generator = self._read(stream)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the stream, in the task that read it."""
        self._left = not self._ended
        if self._generator is None or self._opened is None:
            return
        try:
            await self._generator.aclose()
        finally:
            await self._opened.__aexit__(kind, error, trace)

    def __aiter__(self) -> AsyncGenerator[Chunk, None]:
        """Return the chunks as they arrive; what the SDK raises comes out after the last."""
        if self._generator is None:
            raise RuntimeError("enter the listening before iterating over it")
        return self._generator

    def outcome(self) -> Outcome:
        """Return everything delivered so far."""
        said = self._reader.said()
        finish, ending = self._verdict(said)
        return Outcome(
            chunks=tuple(self._chunks),
            finish=finish,
            ending=ending,
            error=self._error,
            **said._asdict(),
        )

    async def _read(self, stream: Any) -> AsyncGenerator[Chunk, None]:
        failure: Exception | None = None
        async with aclosing(self._batches(stream)) as batches:
            while True:
                try:
                    batch = await anext(batches)
                except StopAsyncIteration:
                    break
                except Exception as error:  # noqa: BLE001 - named in the outcome, raised again below
                    failure, self._error = error, classify(error)
                    break
                for chunk in batch:
                    self._chunks.append(chunk)
                    yield chunk
        for chunk in self._tail():
            yield chunk
        if failure is not None:
            raise failure

    async def _batches(self, stream: Any) -> AsyncGenerator[Sequence[Chunk], None]:
        async for event in stream:
            yield tuple(map(_sound, self._reader.read(event)))
        await self._reader.conclude()

    def _tail(self) -> Sequence[Chunk]:
        """End the stream of chunks as every target does: error, stop reason, usage."""
        self._ended = True
        said = self._reader.said()
        finish, _ = self._verdict(said)
        error = [] if self._error is None else [Chunk("error", error=self._error)]
        counts = [] if said.usage is None else [Chunk("usage", usage=said.usage)]
        tail = [*error, Chunk("stop_reason", finish=finish), *counts]
        self._chunks.extend(tail)
        return tail

    def _verdict(self, said: Final) -> tuple[FinishReason, Ending]:
        if self._error is not None:
            return "error", "failed"
        if self._left:
            return "cancelled", "cancelled"
        if not self._reader.terminal:
            return "unknown", "truncated"
        finish = finish_of(self._reader.protocol, said)
        return finish, ENDING_OF.get(finish, "complete")
