"""Aborting a stream with pings, at any moment, leaves no task and no open source."""

from __future__ import annotations

import asyncio
import gc
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

import pytest

from harness.streaming.serving.keepalive import with_keepalive
from tests.streaming.serving.controlled_source import (
    NEVER,
    PING,
    Clock,
    Source,
    no_task_left,
    pinged_source,
    settle,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


async def test_closing_while_an_item_waits_does_not_wait() -> None:
    """Defect D83: it waited for a consumer to take the item."""
    source, clock = Source(), Clock()
    stream = pinged_source(source, clock)
    pinged = asyncio.ensure_future(anext(stream))
    await clock.pass_interval()
    assert await pinged == PING
    source.waiting.put_nowait(b"a")
    await settle()
    assert source.read == 1
    async with asyncio.timeout(1):
        await stream.aclose()
    assert isinstance(source.ended_with, GeneratorExit)
    assert len(set(source.readers)) == 1
    assert no_task_left()


async def test_closing_while_the_source_is_waited_for_ends_that_wait() -> None:
    source, clock = Source(b"a"), Clock()
    stream = pinged_source(source, clock)
    assert await anext(stream) == b"a"
    following = asyncio.ensure_future(anext(stream))
    await clock.pass_interval()
    assert await following == PING
    await stream.aclose()
    assert isinstance(source.ended_with, asyncio.CancelledError)
    assert len(set(source.readers)) == 1
    assert no_task_left()


async def test_closing_between_two_items_closes_the_source() -> None:
    source, clock = Source(b"a", b"b"), Clock()
    stream = pinged_source(source, clock)
    assert await anext(stream) == b"a"
    await stream.aclose()
    assert isinstance(source.ended_with, GeneratorExit)
    assert (source.read, len(set(source.readers))) == (1, 1)
    assert no_task_left()


async def test_closing_before_the_first_item_does_not_start_the_source() -> None:
    source, clock = Source(b"a"), Clock()
    await pinged_source(source, clock).aclose()
    assert (source.readers, clock.timers) == ([], [])
    assert no_task_left()


async def test_one_task_may_read_and_another_close() -> None:
    """CA-011."""
    source, clock = Source(b"a"), Clock()
    stream = pinged_source(source, clock)
    assert await asyncio.ensure_future(anext(stream)) == b"a"
    await asyncio.ensure_future(stream.aclose())
    assert len(set(source.readers)) == 1


async def test_cancelling_the_consumer_cancels_the_source() -> None:
    source, clock = Source(b"a"), Clock()

    async def consume() -> None:
        async with aclosing(pinged_source(source, clock)) as stream:
            async for _ in stream:
                pass

    consumer = asyncio.create_task(consume())
    await settle()
    consumer.cancel()
    await asyncio.wait({consumer})
    assert consumer.cancelled()
    assert isinstance(source.ended_with, asyncio.CancelledError)
    assert (clock.running, len(set(source.readers))) == ([], 1)
    assert no_task_left()


async def test_a_timeout_reaches_the_source() -> None:
    """CA-014: the read is cancelled, and the iterator is closed afterwards."""
    source = Source()
    stream = pinged_source(source, Clock())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(stream), 0.01)
    assert isinstance(source.ended_with, asyncio.CancelledError)
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_an_exception_thrown_in_closes_the_source() -> None:
    source, clock = Source(b"a"), Clock()
    stream = pinged_source(source, clock)
    await anext(stream)
    with pytest.raises(LookupError):
        await stream.athrow(LookupError())
    assert isinstance(source.ended_with, GeneratorExit)
    assert no_task_left()


async def test_a_second_cancellation_reaches_the_clean_up() -> None:
    """CA-018: the source is closed before the consumer continues."""
    steps: list[str] = []
    cleaning = asyncio.Event()

    async def slow_to_close() -> AsyncIterator[bytes]:
        yield b"a"
        try:
            await asyncio.Event().wait()
        finally:
            cleaning.set()
            try:
                await asyncio.Event().wait()
            finally:
                steps.append("closed")

    async def consume() -> None:
        async for _ in with_keepalive(slow_to_close(), NEVER, lambda: PING):
            pass

    consumer = asyncio.create_task(consume())
    await settle()
    consumer.cancel()
    await cleaning.wait()
    assert not consumer.done()
    consumer.cancel()
    await asyncio.wait({consumer})
    assert (consumer.cancelled(), steps) == (True, ["closed"])
    assert no_task_left()


async def test_a_cancellation_while_the_source_is_closed_is_raised() -> None:
    closed = asyncio.Event()

    async def slow_to_close() -> AsyncIterator[bytes]:
        try:
            yield b"a"
        finally:
            try:
                await asyncio.Event().wait()
            finally:
                closed.set()

    stream = with_keepalive(slow_to_close(), NEVER, lambda: PING)
    assert await anext(stream) == b"a"
    closing = asyncio.ensure_future(stream.aclose())
    await settle()
    closing.cancel()
    await asyncio.wait({closing})
    assert (closing.cancelled(), closed.is_set()) == (True, True)
    assert no_task_left()


async def test_a_source_that_ignores_its_cancellation_is_closed() -> None:
    closed: list[bool] = []

    async def stubborn() -> AsyncIterator[bytes]:
        try:
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            yield b"too late"
        finally:
            closed.append(True)

    stream = with_keepalive(stubborn(), 0.001, lambda: PING)
    assert await anext(stream) == PING
    async with asyncio.timeout(1):
        await stream.aclose()
    assert closed == [True]
    assert no_task_left()


async def test_a_failure_of_the_clean_up_is_not_hidden() -> None:
    async def fails_to_close() -> AsyncIterator[bytes]:
        try:
            yield b"a"
        finally:
            raise OSError("the socket is gone")

    stream = with_keepalive(fails_to_close(), NEVER, lambda: PING)
    await anext(stream)
    with pytest.raises(OSError, match="the socket is gone"):
        await stream.aclose()
    assert no_task_left()


async def test_a_failure_of_the_clean_up_does_not_hide_a_cancellation() -> None:
    """CA-013."""

    async def fails_to_close() -> AsyncIterator[bytes]:
        try:
            await asyncio.Event().wait()
            yield b"a"
        finally:
            raise OSError("the socket is gone")

    reading = asyncio.ensure_future(anext(with_keepalive(fails_to_close(), NEVER, lambda: PING)))
    await settle()
    reading.cancel()
    await asyncio.wait({reading})
    assert reading.cancelled()
    assert no_task_left()


async def test_a_failure_after_an_abort_is_not_logged_as_never_retrieved() -> None:
    violations: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, about: violations.append(about))

    async def fails() -> AsyncIterator[bytes]:
        await asyncio.sleep(0.005)
        raise RuntimeError("broken")
        yield b"never"

    stream = with_keepalive(fails(), 0.001, lambda: PING)
    await anext(stream)
    await asyncio.sleep(0.01)
    await stream.aclose()
    del stream
    gc.collect()
    await settle()
    assert violations == []
