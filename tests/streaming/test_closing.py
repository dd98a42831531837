"""How an interface opens and closes streams of every kind: in memory, without an SDK."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from harness.errors import LLMServerError, RunCancelled
from harness.model import Chunk, ErrorInfo
from harness.streaming import closing
from harness.streaming.cancellation import CancelSignal
from harness.streaming.decoding import WireObject
from harness.streaming.interfaces.anthropic_messages.interface import AnthropicMessagesInterface

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

T = TypeVar("T")
USAGE = {"input_tokens": 3, "output_tokens": 1}
BLOCKS = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]


def event(**fields: Any) -> WireObject:
    return WireObject({k: WireObject(v) if isinstance(v, dict) else v for k, v in fields.items()})


START = event(type="message_start", message={"id": "m", "usage": WireObject(USAGE)})
WHOLE = event(
    type="message_start",
    message={"id": "m", "usage": WireObject(USAGE), "content": [WireObject(b) for b in BLOCKS]},
)
END = [
    event(type="message_delta", delta={"stop_reason": "end_turn"}, usage=USAGE),
    event(type="message_stop"),
]


class Stream:
    """A stream that records who closed it, and may fail to close."""

    def __init__(self, *events: WireObject, refuses: Exception | None = None) -> None:
        self._events, self._refuses = iter(events), refuses
        self.closed_by: list[Any] = []

    def __aiter__(self) -> AsyncIterator[WireObject]:
        return self

    async def __anext__(self) -> WireObject:
        await asyncio.sleep(0)
        for found in self._events:
            return found
        raise StopAsyncIteration

    def __iter__(self) -> Iterator[WireObject]:
        return self._events

    async def aclose(self) -> None:
        self.close()

    def close(self) -> None:
        self.closed_by.append(_task())
        if self._refuses is not None:
            raise self._refuses


class SilentStream(Stream):
    """A silent stream; ``waiting`` is set once a reader waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = asyncio.Event()

    async def __anext__(self) -> WireObject:
        self.waiting.set()
        await asyncio.get_running_loop().create_future()
        raise StopAsyncIteration


class PlainStream(Stream):
    """A stream with a synchronous ``close`` only."""

    aclose = None  # type: ignore[assignment]  # it has none


class OldStream(Stream):
    """CA-020: an asynchronous stream whose closing coroutine is named ``close``."""

    aclose = None  # type: ignore[assignment]  # an older SDK has none

    async def close(self) -> None:  # type: ignore[override]  # the same
        await asyncio.sleep(0)
        self.closed_by.append(_task())


def _task() -> Any:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


def made() -> AnthropicMessagesInterface:
    return AnthropicMessagesInterface()


async def opened(stream: Any) -> Any:
    await asyncio.sleep(0)
    return stream


@pytest.mark.parametrize("kind", [Stream, PlainStream, OldStream])
async def test_a_stream_is_closed_in_the_task_that_reads_it(kind: type[Stream]) -> None:
    stream = kind(START, *END)
    kinds = [chunk.kind async for chunk in made().chunks(opened(stream))]
    assert kinds == ["stop_reason", "usage"]
    assert stream.closed_by == [asyncio.current_task()]


async def test_a_stream_is_closed_before_the_last_chunks_are_asked_for() -> None:
    stream = Stream(START, *END)
    async with aclosing(made().chunks(stream)) as chunks:
        await anext(chunks)
        assert len(stream.closed_by) == 1


async def test_a_stream_without_close_is_accepted() -> None:
    class Bare:
        def __iter__(self) -> Iterator[WireObject]:
            return iter([START, *END])

        def __aiter__(self) -> AsyncIterator[WireObject]:
            return _as_async(self)

    assert [chunk.kind for chunk in made().chunks_sync(Bare())] == ["stop_reason", "usage"]
    assert [chunk.kind async for chunk in made().chunks(Bare())] == ["stop_reason", "usage"]


async def grouped(*, fails: bool) -> AsyncIterator[int]:
    """Yield inside a task group; a task of it may fail while the stream is closed."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_fails() if fails else asyncio.sleep(3600))
        yield 1


async def _fails() -> None:
    try:
        await asyncio.sleep(3600)
    finally:
        raise ZeroDivisionError


async def test_closing_a_stream_with_a_task_group_raises_no_exception_group() -> None:
    """CA-009."""
    stream = grouped(fails=False)
    assert await anext(stream) == 1
    await asyncio.sleep(0)
    assert await closing.aclose(stream) is None


async def test_an_error_in_a_task_group_during_closing_is_returned() -> None:
    """CA-009: other errors in the group are not lost."""
    stream = grouped(fails=True)
    assert await anext(stream) == 1
    await asyncio.sleep(0)
    unclosed = await closing.aclose(stream)
    assert isinstance(unclosed, ExceptionGroup)
    assert unclosed.subgroup(ZeroDivisionError) is not None


async def test_a_waiting_reader_is_cancelled_before_the_chunks_are_closed() -> None:
    """CA-010: in this order no generator is closed while it runs."""
    stream = SilentStream()
    chunks = made().chunks(stream)
    reading = asyncio.ensure_future(anext(chunks))
    await stream.waiting.wait()
    with pytest.raises(RuntimeError, match="already running"):
        await chunks.aclose()
    reading.cancel()
    await asyncio.wait({reading})
    await chunks.aclose()
    assert reading.cancelled()
    assert len(stream.closed_by) == 1


async def test_a_generator_can_be_read_as_a_stream() -> None:
    closed = False

    async def events() -> AsyncIterator[WireObject]:
        nonlocal closed
        try:
            yield WHOLE
            await asyncio.get_running_loop().create_future()
        finally:
            closed = True

    signal = CancelSignal()
    chunks = made().chunks(events(), signal)
    assert [await anext(chunks), await anext(chunks)] == [
        Chunk("text", "a", 0),
        Chunk("text", "b", 1),
    ]
    asyncio.get_running_loop().call_soon(signal.fire)
    assert [chunk.kind async for chunk in chunks] == ["stop_reason", "usage"]
    assert closed


@pytest.mark.parametrize("sync", [False, True])
async def test_no_second_chunk_of_an_event_follows_the_signal(*, sync: bool) -> None:
    interface, signal, kinds = made(), CancelSignal(), list[str]()
    if sync:
        for chunk in interface.chunks_sync(Stream(WHOLE, *END), signal):
            kinds.append(chunk.kind)
            signal.fire()
    else:
        async for chunk in interface.chunks(Stream(WHOLE, *END), signal):
            kinds.append(chunk.kind)
            signal.fire()
    assert kinds == ["text", "stop_reason", "usage"]
    outcome = interface.outcome()
    assert outcome.usage is not None
    assert outcome.usage.input == 3
    assert outcome.notes == ("usage_partial",)


async def test_a_signal_at_the_last_chunks_has_no_effect() -> None:
    """CA-024: the answer is complete; the only terminal is the provider's."""
    interface, signal, kinds = made(), CancelSignal(), list[str]()
    async for chunk in interface.chunks(Stream(START, *END), signal):
        kinds.append(chunk.kind)
        signal.fire()
    assert kinds == ["stop_reason", "usage"]
    assert interface.outcome().ending == "complete"
    assert not interface.diagnostics.cancelled


async def test_usage_is_not_partial_after_the_terminal_event() -> None:
    interface = made()
    async with aclosing(interface.chunks(Stream(WHOLE, *END))) as chunks:
        await anext(chunks)
        interface.handle(END[0])
    assert interface.outcome().notes == ()


@pytest.mark.parametrize("sync", [False, True])
async def test_a_close_error_is_raised_after_the_last_chunk(*, sync: bool) -> None:
    interface, kinds = made(), list[str]()
    refuses = LLMServerError(ErrorInfo(kind="server", message="cannot close"))
    stream = Stream(START, *END, refuses=refuses)
    chunks = _as_async(interface.chunks_sync(stream)) if sync else interface.chunks(stream)
    with pytest.raises(LLMServerError) as caught:
        await _collect(chunks, kinds)
    assert caught.value is refuses
    assert kinds == ["stop_reason", "usage"]
    assert interface.outcome().ending == "complete"
    assert "close_failed: server: cannot close" in interface.outcome().notes


async def _as_async(items: Iterable[T]) -> AsyncIterator[T]:
    for item in items:
        yield item


async def _collect(chunks: Any, kinds: list[str]) -> None:
    async for chunk in chunks:
        kinds.append(chunk.kind)  # noqa: PERF401 - chunks before an exception count


async def test_a_stream_that_fails_to_close_hides_neither_failure_nor_cancellation() -> None:
    interface, signal = made(), CancelSignal()
    signal.fire()
    stream = Stream(START, refuses=OSError("cannot close"))
    assert [chunk.kind async for chunk in interface.chunks(stream, signal)] == ["stop_reason"]
    chunks = made().chunks(Stream(WHOLE, *END, refuses=OSError("cannot close")))
    await anext(chunks)
    with pytest.raises(RunCancelled) as caught:
        await chunks.athrow(mine := RunCancelled())
    assert caught.value is mine


async def test_an_error_of_opening_is_raised_unchanged_and_reported_in_chunks() -> None:
    mine = LLMServerError(ErrorInfo(kind="server", message="down"))

    async def fail() -> Any:
        raise mine

    interface, kinds = made(), list[str]()
    with pytest.raises(LLMServerError) as caught:
        await _collect(interface.chunks(fail()), kinds)
    assert caught.value is mine
    assert kinds == ["error", "stop_reason"]
    assert interface.outcome().error == mine.info


async def test_a_refused_connection_is_failed_not_truncated() -> None:
    async def refuse() -> Any:
        raise ConnectionRefusedError("refused")

    interface = made()
    with pytest.raises(ConnectionRefusedError):
        await _collect(interface.chunks(refuse()), [])
    assert interface.outcome().ending == "failed"


async def test_a_stream_opened_at_the_moment_of_the_signal_is_closed() -> None:
    stream, signal = Stream(WHOLE), CancelSignal()

    async def open_late() -> Any:
        signal.fire()
        return stream

    kinds = [chunk.kind async for chunk in made().chunks(open_late(), signal)]
    assert kinds == ["stop_reason"]
    assert len(stream.closed_by) == 1


async def test_wait_for_closes_the_chunks() -> None:
    """CA-014: a timeout reaches the read; there are no chunks afterwards."""
    interface = made()

    async def silent() -> AsyncIterator[WireObject]:
        yield WHOLE
        await asyncio.get_running_loop().create_future()

    chunks = interface.chunks(silent())
    assert [(await anext(chunks)).text, (await anext(chunks)).text] == ["a", "b"]
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(chunks), 0.001)
    assert [chunk async for chunk in chunks] == []
    assert interface.outcome().ending == "cancelled"


async def test_chunks_closed_by_another_task_close_the_stream() -> None:
    """CA-011."""
    stream = Stream(WHOLE, *END)
    chunks = made().chunks(stream)
    await anext(chunks)
    closing = asyncio.create_task(chunks.aclose())
    await closing
    assert stream.closed_by == [closing]
