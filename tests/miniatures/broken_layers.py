"""Broken layers with one defect each, as the first implementation had them.

Each is ours with one thing changed; the sweep through the full stack has to detect it by the
invariant that it names (docs/defects.md for the D numbers, docs/catalogue.md for CA).
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from harness.errors import LLMError
from harness.model import ErrorInfo
from harness.streaming.adapter import StepResult, StreamAdapter
from harness.streaming.cancellation import CancellationRegistry, CancelSignal
from harness.streaming.serving import StreamingService, StreamRequest
from harness.targets.layers import Layers

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable

    from harness.model import Chunk
    from harness.streaming.serving.runs.store import Run

    Frames = AsyncGenerator[bytes, None]


@dataclass(frozen=True)
class BrokenLayer:
    """One broken stack: the layers, the defect, the invariants it violates, and the abort."""

    name: str
    layers: Layers
    defect: str
    breaks: frozenset[str]
    way: str
    stream: str


BROKEN_LAYERS: list[BrokenLayer] = []


def violates(
    defect: str, *breaks: str, way: str = "cancel", stream: str = "counted", **also: Any
) -> Callable[[type[Any]], type[Any]]:
    """Register a broken layer, and what it needs besides; its base says which layer it is."""

    def register(layer: type[Any]) -> type[Any]:
        kinds = {"adapter": StreamAdapter, "service": StreamingService}
        kinds["registry"] = CancellationRegistry
        place = next(name for name, kind in kinds.items() if issubclass(layer, kind))
        layers = replace(Layers(), **{place: layer, **also})
        BROKEN_LAYERS.append(
            BrokenLayer(layer.__name__, layers, defect, frozenset(breaks), way, stream)
        )
        return layer

    return register


# The adapter


class KeepsOtherwise(StreamAdapter):
    """The result of a step passes through ``kept`` before it is kept."""

    _result: StepResult | None = None

    @property
    def result(self) -> StepResult | None:
        """The result of the last step."""
        return None if self._result is None else self.kept(self._result)

    @result.setter
    def result(self, result: StepResult | None) -> None:
        self._result = result

    def kept(self, result: StepResult) -> StepResult:
        """Return what this adapter keeps of a step."""
        return result


@violates("D4", "run_step_is_cancelled")
class KnowsNoCancel(KeepsOtherwise):
    """A step that was cut looks like a complete one."""

    def kept(self, result: StepResult) -> StepResult:
        """Report a complete step."""
        if result.outcome.ending != "cancelled":
            return result
        flagless = {"finish": "unknown", "ending": "truncated"}
        return replace(result, outcome=result.outcome.model_copy(update=flagless))


@violates("CA-003", "run_keeps_partial")
class DropsTheContent(KeepsOtherwise):
    """Messages are kept when a step completes; a step that was cut persists nothing."""

    def kept(self, result: StepResult) -> StepResult:
        """Drop the content of a step that was cut."""
        if result.outcome.ending != "cancelled":
            return result
        return replace(result, outcome=result.outcome.model_copy(update={"content": ()}))


class Passing(StreamAdapter):
    """Passes on what our adapter emits, through ``passed``."""

    async def stream(self, *args: Any, **named: Any) -> AsyncGenerator[Chunk, None]:
        """Stream a step."""
        async with (
            aclosing(super().stream(*args, **named)) as chunks,
            aclosing(self.passed(chunks)) as passed,
        ):
            async for chunk in passed:
                yield chunk

    def passed(self, chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[Chunk, None]:
        """Return the chunks to pass on."""
        raise NotImplementedError


def _llm_error(error: BaseException) -> LLMError:
    return LLMError(ErrorInfo(kind="unknown", message=f"Unhandled LLM error: {error!r}"))


@violates("D56", "run_is_cancelled", "run_propagates_cancellation")
class MapsTheCancellation(Passing):
    """Every exception of the stream becomes an LLMError, also a cancellation."""

    async def passed(self, chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[Chunk, None]:
        """Map too much."""
        try:
            async for chunk in chunks:
                yield chunk
        except asyncio.CancelledError as error:
            raise _llm_error(error) from error


@violates("D56", "run_logs_no_warning", way="aclose")
class RaisesOutOfClosing(Passing):
    """Closing the generator early raises LLMError from ``aclose``."""

    async def passed(self, chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[Chunk, None]:
        """Map even more."""
        try:
            async for chunk in chunks:
                yield chunk
        except GeneratorExit as error:
            raise _llm_error(error) from error


@violates("section 3", "run_repeats_nothing", "run_keeps_partial", "run_no_stale_message")
class TellsAgain(Passing):
    """What interrupts the stream makes it process the current event once more."""

    async def passed(self, chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[Chunk, None]:
        """Emit the last chunk again."""
        last = None
        try:
            async for chunk in chunks:
                last = chunk
                yield chunk
        except asyncio.CancelledError:
            if last is not None:
                yield last
            raise


@violates("CA-016", "run_leaks_nothing")
class PingsOn(Passing):
    """The task beside the stream is never cancelled."""

    async def passed(self, chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[Chunk, None]:
        """Start a task and forget it."""
        self._pinging = asyncio.create_task(asyncio.sleep(10_000))
        async for chunk in chunks:
            yield chunk


@violates("D83", "run_reports_failure", stream="overloaded")
class SwallowsTheError(Passing):
    """A task of its own reads the stream, logs what it raises, and the stream looks complete."""

    async def passed(self, chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[Chunk, None]:
        """End quietly."""
        try:
            async for chunk in chunks:
                yield chunk
        except LLMError:
            return


@violates("D47", "run_closes_responses")
class LeavesTheResponse(StreamAdapter):
    """The generators are closed, the provider's response is left to the garbage collector."""

    held: ClassVar[list[Any]] = []

    def __init__(self, opener: Any, *args: Any) -> None:
        async def opened(*asked: Any) -> Any:
            stream = await opener(*asked)
            self.held.append(stream)
            return _Unclosable(stream)

        super().__init__(opened, *args)


class _Unclosable:
    """A stream without ``close`` or ``aclose``."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __aiter__(self) -> AsyncIterator[Any]:
        return aiter(self._stream)


# The registry


@violates("D73", "run_unregisters")
class Remembers(CancellationRegistry):
    """A run that is over keeps its signal."""

    def remove(self, run_id: str, signal: CancelSignal | None = None) -> None:
        """Forget nothing."""


class _Polled(CancelSignal):
    """A signal that wakes no task: it is read when the next chunk has come."""

    def fire(self) -> None:
        """Only set the flag."""
        self.fired = True


@violates("D72", "run_ends_at_once", way="fire")
class Polls(CancellationRegistry):
    """A cancel is noticed at the next chunk, and a silent provider sends none."""

    def create(self, run_id: str) -> CancelSignal:
        """Return a signal that is polled."""
        signal = self._signals[run_id] = _Polled()
        return signal


class _TooLate(_Polled):
    """A signal that is read when the next chunk has been passed on."""

    async def guard_stream(self, stream: AsyncIterable[Any]) -> AsyncGenerator[Any, None]:
        """Return the stream and one chunk too many."""
        async for item in stream:
            yield item
            if self.fired:
                return


class WithoutSignal(StreamAdapter):
    """Does not learn that a run is cancelled."""

    def stream(
        self, context: Any, request: Any, *_: Any, **named: Any
    ) -> AsyncGenerator[Chunk, None]:
        """Keep the signal from the interface."""
        return super().stream(context, request, **named)


@violates("D70", "run_no_stale_message", "run_ends_at_once", way="fire", adapter=WithoutSignal)
class EmitsAStaleChunk(CancellationRegistry):
    """The run is cancelled, and one more chunk comes; so it is never at once."""

    def create(self, run_id: str) -> CancelSignal:
        """Return a signal that is read too late."""
        signal = self._signals[run_id] = _TooLate()
        return signal


# The service


class Wrapping(StreamingService):
    """Passes on the events of our service, through ``wrapped``."""

    async def stream(self, request: StreamRequest) -> tuple[Run | None, Frames]:
        """Stream a run."""
        run, frames = await super().stream(request)
        wrapped = self._begun(frames)
        await anext(wrapped)  # so that closing it runs what it is made of
        return run, wrapped

    async def _begun(self, frames: Frames) -> Frames:
        async with aclosing(frames), aclosing(self.wrapped(frames)) as wrapped:
            yield b""
            async for piece in wrapped:
                yield piece

    def wrapped(self, frames: Frames) -> Frames:
        """Return the events to pass on."""
        raise NotImplementedError


@violates("D70", "run_events_in_order", way="fire")
class LosesTheEnd(Wrapping):
    """The ``[DONE]`` of a cancelled run was what a throw returned, and is discarded."""

    async def wrapped(self, frames: Frames) -> Frames:
        """Stop short."""
        cancelled = False
        async for piece in frames:
            if not (cancelled and b"[DONE]" in piece):
                yield piece
            cancelled = cancelled or b'"cancelled"' in piece


@violates("CA-021", "run_reports_usage", way="fire")
class ChargesNothing(Wrapping):
    """What a cancelled run has used by then is not reported."""

    async def wrapped(self, frames: Frames) -> Frames:
        """Leave the usage out."""
        cancelled = False
        async for piece in frames:
            if not (cancelled and b"usage_statistics" in piece):
                yield piece
            cancelled = cancelled or b'"cancelled"' in piece


@violates("D77", "run_is_cancelled", "run_unlocks_conversation", "run_unregisters",
      "run_closes_responses", "run_step_is_cancelled", "run_leaks_nothing",
      way="aclose")  # fmt: skip
class Abandons(StreamingService):
    """A client that disconnects ends what it reads, and the run is never ended."""

    held: ClassVar[list[Any]] = []

    async def stream(self, request: StreamRequest) -> tuple[Run | None, Frames]:
        """Stream a run."""
        run, frames = await super().stream(request)
        self.held.append(frames)
        return run, self._passed(frames)

    async def _passed(self, frames: Frames) -> Frames:
        async for piece in frames:
            yield piece


@violates("D82", "run_unlocks_conversation", "run_leaks_nothing")
class NeverReleases(StreamingService):
    """A run that is over keeps its conversation locked."""

    held: ClassVar[list[Any]] = []

    def __init__(self, *, conversations: Any, **parts: Any) -> None:
        @asynccontextmanager
        async def held(conversation: str) -> AsyncGenerator[Any, None]:
            self.held.append(conversations(conversation))  # or the collector would release it
            yield await self.held[-1].__aenter__()

        super().__init__(conversations=held, **parts)


@violates("D83", "run_ends_at_once", way="aclose")
class JoinsAFullQueue(Wrapping):
    """Pings come from a queue; a client that disconnects while it holds an item waits for ever."""

    async def wrapped(self, frames: Frames) -> Frames:
        """Wait for the task that waits for this one."""
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(1)
        producer = asyncio.create_task(_fill(queue, frames))
        try:
            while (piece := await queue.get()) is not None:
                yield piece
        finally:
            await queue.put(None)  # the end; no task takes what is in the queue
            producer.cancel()
            await asyncio.wait({producer})


async def _fill(queue: asyncio.Queue[bytes | None], frames: Frames) -> None:
    async for piece in frames:
        await queue.put(piece)
    await queue.put(None)


@violates("CA-013", "run_propagates_cancellation")
class Swallows(Wrapping):
    """A cancelled client ends as if nothing had happened."""

    async def wrapped(self, frames: Frames) -> Frames:
        """End quietly."""
        try:
            async for piece in frames:
                yield piece
        except asyncio.CancelledError:
            return
