"""Pings are sent in silence only; one task reads and closes the source on every path."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from harness.errors import InputError
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


async def test_a_source_without_silence_gets_no_ping() -> None:
    source, clock = Source(b"a", b"b", b"c"), Clock()
    source.end()
    assert [item async for item in pinged_source(source, clock)] == [b"a", b"b", b"c"]
    assert (clock.running, set(clock.intervals)) == ([], {NEVER})
    assert len(set(source.readers)) == 1
    assert no_task_left()


async def test_pings_are_sent_as_long_as_the_silence_lasts() -> None:
    source, clock, seen = Source(b"a"), Clock(), list[bytes]()

    async def consume() -> None:
        async for item in pinged_source(source, clock):
            seen.append(item)

    consumer = asyncio.create_task(consume())
    await clock.pass_interval()
    await clock.pass_interval()
    source.waiting.put_nowait(b"b")
    source.end()
    await consumer
    assert seen == [b"a", PING, PING, b"b"]
    assert clock.running == []


async def test_an_item_that_came_during_a_ping_is_yielded_at_once() -> None:
    source, clock = Source(), Clock()
    stream = pinged_source(source, clock)
    pinged = asyncio.ensure_future(anext(stream))
    await clock.pass_interval()
    assert await pinged == PING
    source.waiting.put_nowait(b"a")
    await settle()
    timers = len(clock.timers)
    assert (await anext(stream), len(clock.timers)) == (b"a", timers)
    await stream.aclose()


async def test_the_timer_of_the_event_loop_is_the_default() -> None:
    source = Source()
    async with aclosing(with_keepalive(source.items(), 0.01, lambda: PING)) as stream:
        assert [await anext(stream), await anext(stream)] == [PING, PING]
        source.waiting.put_nowait(b"a")
        assert await anext(stream) == b"a"


async def test_a_ping_is_built_when_it_is_sent() -> None:
    source, numbers = Source(), iter("12")
    stream = with_keepalive(source.items(), 0.001, lambda: next(numbers).encode())
    async with aclosing(stream):
        assert [await anext(stream), await anext(stream)] == [b"1", b"2"]


async def test_nothing_is_read_ahead() -> None:
    source, clock = Source(b"a", b"b", b"c"), Clock()
    async with aclosing(pinged_source(source, clock)) as stream:
        assert source.read == 0
        await anext(stream)
        await settle()
        assert source.read == 1


@pytest.mark.parametrize("pinged", [False, True])
async def test_an_exception_of_the_source_reaches_the_consumer_as_it_is(*, pinged: bool) -> None:
    """Defect D83: the error was swallowed, the stream looked complete."""
    error = RuntimeError("broken")
    source, clock = Source(b"a"), Clock()
    stream = pinged_source(source, clock)
    assert await anext(stream) == b"a"
    following = asyncio.ensure_future(anext(stream))
    if pinged:
        await clock.pass_interval()
        assert await following == PING
        following = asyncio.ensure_future(anext(stream))
    source.waiting.put_nowait(error)
    with pytest.raises(RuntimeError) as raised:
        await following
    assert raised.value is error
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
    assert no_task_left()


async def test_a_cancelled_error_of_the_source_reaches_the_consumer() -> None:
    """CA-015: no queue waits for an item that never comes."""
    stream = pinged_source(Source(asyncio.CancelledError()), Clock())
    with pytest.raises(asyncio.CancelledError):
        await anext(stream)


async def test_an_iterator_without_aclose_is_accepted() -> None:
    class Bare:
        def __aiter__(self) -> Bare:
            return self

        async def __anext__(self) -> bytes:
            raise StopAsyncIteration

    assert [item async for item in with_keepalive(Bare(), NEVER, lambda: PING)] == []


@pytest.mark.parametrize("interval", [0, -1, float("nan"), float("inf")])
def test_an_interval_must_be_a_positive_number_of_seconds(interval: float) -> None:
    with pytest.raises(InputError, match="must be a positive number of seconds"):
        with_keepalive(Source().items(), interval, lambda: PING)
