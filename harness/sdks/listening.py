"""A listening over an SDK's stream: opens it, reads it with a reader, builds the outcome.

What every SDK has in common is here: the chunks at the end (error, stop reason, usage), the finish
and the ending.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Self

from harness.model import Chunk, Outcome
from harness.protocols import protocol
from harness.sdks.result import as_text
from harness.streaming.error_mapping import classify
from harness.streaming.interfaces.base import ENDING_OF

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType

    from harness.model import Ending, ErrorInfo, FinishReason
    from harness.sdks.binding import SdkBinding
    from harness.sdks.reader import SdkReader
    from harness.sdks.result import SdkResult


def finish_of(binding: SdkBinding, result: SdkResult) -> FinishReason:
    """Return the meaning of a provider's finish word, beside the content it came with."""
    finish = protocol(binding.protocol).finish.get(result.finish_raw or "", "unknown")
    if finish != "stop":
        return finish
    kinds = {type(part) for part in result.content}
    return next((named for kind, named in binding.finish_by_content if kind in kinds), finish)


class SdkListening:
    """Opens a stream on entering, reads it with a reader, closes it on exit.

    Args:
        binding: the wire language of the stream.
        opener: makes the context manager that sends the request and closes the stream.
        reader: a new reader.
    """

    def __init__(
        self,
        binding: SdkBinding,
        opener: Callable[[], AbstractAsyncContextManager[Any]],
        reader: SdkReader,
    ) -> None:
        self._binding, self._opener, self._reader = binding, opener, reader
        self._opened: AbstractAsyncContextManager[Any] | None = None
        self._generator: AsyncGenerator[Chunk, None] | None = None
        self._chunks: list[Chunk] = []
        self._error: ErrorInfo | None = None
        self._ended = self._aborted = False

    async def __aenter__(self) -> Self:
        """Open the stream.

        Raises:
            Exception: what the SDK raises when the provider refuses the request.
        """
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
        self._aborted = not self._ended
        if self._generator is None or self._opened is None:
            return
        try:
            await self._generator.aclose()
        finally:
            await self._opened.__aexit__(kind, error, trace)

    def __aiter__(self) -> AsyncGenerator[Chunk, None]:
        """Return the chunks as they arrive; what the SDK raises is raised after the last one."""
        if self._generator is None:
            raise RuntimeError("enter the listening before iterating over it")
        return self._generator

    def outcome(self) -> Outcome:
        """Return everything delivered so far."""
        result = self._reader.result()
        finish, ending = self._end(result)
        return Outcome(
            chunks=tuple(self._chunks),
            finish=finish,
            ending=ending,
            error=self._error,
            **result._asdict(),
        )

    async def _read(self, stream: Any) -> AsyncGenerator[Chunk, None]:
        failure: Exception | None = None
        async with aclosing(self._batches(stream)) as batches:
            while True:
                try:
                    batch = await anext(batches)
                except StopAsyncIteration:
                    break
                except Exception as error:  # noqa: BLE001 - part of the outcome, raised again below
                    failure, self._error = error, classify(error)
                    break
                for chunk in batch:
                    self._chunks.append(chunk)
                    yield chunk
        for chunk in self._final_chunks():
            yield chunk
        if failure is not None:
            raise failure

    async def _batches(self, stream: Any) -> AsyncGenerator[Sequence[Chunk], None]:
        async for event in stream:
            yield tuple(map(_checked, self._reader.read(event)))
        await self._reader.conclude()

    def _final_chunks(self) -> Sequence[Chunk]:
        """Return the chunks with which every target ends: error, stop reason, usage."""
        self._ended = True
        result = self._reader.result()
        finish, _ = self._end(result)
        error = [] if self._error is None else [Chunk("error", error=self._error)]
        usage = [] if result.usage is None else [Chunk("usage", usage=result.usage)]
        chunks = [*error, Chunk("stop_reason", finish=finish), *usage]
        self._chunks.extend(chunks)
        return chunks

    def _end(self, result: SdkResult) -> tuple[FinishReason, Ending]:
        if self._error is not None:
            return "error", "failed"
        if self._aborted:
            return "cancelled", "cancelled"
        if not self._reader.terminal:
            return "unknown", "truncated"
        finish = finish_of(self._binding, result)
        return finish, ENDING_OF.get(finish, "complete")


def _checked(chunk: Chunk) -> Chunk:
    """Return a chunk of objects that the SDK built without validation.

    Raises:
        TypeError: a fragment is not text, so a user who joins the fragments cannot go on.
    """
    for field in ("text", "arguments", "data"):
        fragment = getattr(chunk, field)
        if not isinstance(fragment, str | None):
            raise TypeError(
                f"{field} of a {chunk.kind} chunk is {type(fragment).__name__}, not text"
            )
    return chunk._replace(id=as_text(chunk.id), name=as_text(chunk.name))
