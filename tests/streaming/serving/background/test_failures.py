"""When one side fails, the other sides learn it, and none waits forever."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from harness.errors import FrameTooLargeError
from harness.streaming.serving.background import EventStore, RedisFailedError, RunTakenError
from harness.streaming.serving.client_events import ClientEventReader
from tests.streaming.serving.background.stored_runs import (
    PrivateRedis,
    begin_run,
    collect,
    eventually,
    new_id,
    no_task_left,
    opened,
    read_broken_run,
    read_into,
    run_frames,
    source_of,
    store_run,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

    from harness.streaming.serving.background import Writer


async def test_an_exception_of_the_source_reaches_the_consumer_and_the_readers(
    event_store: EventStore,
) -> None:
    run_id, failure = new_id(), RuntimeError("the agent failed")
    writer = await event_store.writer(run_id)
    with pytest.raises(RuntimeError) as raised:
        await collect(writer.writing(source_of(run_frames()[:1], failure)))
    assert raised.value is failure
    received, why = await read_broken_run(event_store, run_id)
    assert received == run_frames()[:1]
    assert why.endswith("RuntimeError: the agent failed")
    assert no_task_left()


async def test_a_disconnected_client_ends_the_run(event_store: EventStore) -> None:
    run_id = new_id()
    closed: list[str] = []

    async def source() -> AsyncGenerator[bytes, None]:
        try:
            for piece in run_frames():
                yield piece
        except GeneratorExit:
            closed.append("source")
            raise

    writer = await event_store.writer(run_id)
    async with aclosing(writer.writing(source())) as stream:
        await anext(stream)
    assert closed == ["source"]
    assert await read_broken_run(event_store, run_id) == (
        run_frames()[:1],
        f"the stored frames of run {run_id!r} end before the run did: it was stopped",
    )
    assert no_task_left()


async def test_a_cancelled_writer_is_cancelled_and_ends_the_stored_run(
    event_store: EventStore,
) -> None:
    run_id = new_id()
    writer = await event_store.writer(run_id)

    async def silent() -> AsyncIterator[bytes]:
        yield run_frames()[0]
        await asyncio.Event().wait()

    work = asyncio.create_task(collect(writer.writing(silent())))
    async with aclosing(event_store.frames(run_id)) as stream:
        await anext(stream)
    work.cancel()
    await asyncio.wait({work})
    assert work.cancelled()
    received, why = await read_broken_run(event_store, run_id)
    assert (received, why.endswith("it was stopped")) == (run_frames()[:1], True)
    assert no_task_left()


async def test_an_event_over_the_limit_reaches_the_client_and_ends_the_stored_run(
    event_store: EventStore, caplog: pytest.LogCaptureFixture
) -> None:
    run_id = new_id()
    writer = await event_store.writer(run_id)
    writer._reader = ClientEventReader(limit=len(run_frames()[0]) + 50)
    sent = [run_frames()[0], run_frames(["x" * 500])[0], run_frames()[1]]
    assert await collect(writer.writing(source_of(sent))) == sent
    assert isinstance(writer.failure, FrameTooLargeError)
    assert "is not stored any more" in caplog.text
    received, why = await read_broken_run(event_store, run_id)
    assert (received, "the limit is" in why) == (sent[:1], True)


async def test_a_run_has_one_writer(event_store: EventStore) -> None:
    run_id = await store_run(event_store, run_frames())
    with pytest.raises(RunTakenError, match=run_id):
        await event_store.writer(run_id)


async def test_a_refused_command_raises_redis_failed_error(event_store: EventStore) -> None:
    _, log = await begin_run(event_store, run_frames())
    with pytest.raises(RedisFailedError, match="equal or smaller"):
        await log.append([(1, b"a second writer")])


async def test_the_redis_client_works_after_a_reader_was_cancelled(
    event_store: EventStore,
) -> None:
    run_id, _ = await begin_run(event_store, run_frames()[:1])
    reader = asyncio.create_task(collect(event_store.frames(run_id)))
    await asyncio.sleep(0.01)
    reader.cancel()
    await asyncio.wait({reader})
    assert reader.cancelled()
    assert (
        await collect(event_store.frames(await store_run(event_store, run_frames())))
        == run_frames()
    )


async def interrupted(
    writer: Writer, sent: list[bytes], ready: Callable[[], bool], kill: Callable[[], None]
) -> list[bytes]:
    """Read a run through its writer; kill Redis after the first frame, when ``ready`` says so."""

    async def is_ready() -> bool:
        return ready()

    async def source() -> AsyncIterator[bytes]:
        yield sent[0]
        await eventually(is_ready)
        kill()
        for piece in sent[1:]:
            yield piece

    return await collect(writer.writing(source()))


async def test_the_client_receives_everything_when_redis_dies(
    private_redis: PrivateRedis, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(url=private_redis.url, block=1.0) as event_store:
        run_id, sent = new_id(), run_frames()
        writer = await event_store.writer(run_id)
        received: list[bytes] = []
        reader = asyncio.create_task(read_into(received, event_store.frames(run_id)))
        assert await interrupted(writer, sent, lambda: bool(received), private_redis.kill) == sent
        with pytest.raises(RedisFailedError):
            await reader
    assert received == sent[:1]
    assert isinstance(writer.failure, RedisFailedError)
    assert writer.written == 1
    assert run_id in caplog.text
    assert "secret" not in caplog.text
    assert no_task_left()


async def test_the_client_receives_everything_when_redis_hangs(private_redis: PrivateRedis) -> None:
    async with opened(url=private_redis.url, block=0.02, timeout=0.05) as event_store:
        writer = await event_store.writer(new_id())
        sent = run_frames()
        async with asyncio.timeout(0.5):  # no command is sent twice, so the wait is short
            assert (
                await interrupted(writer, sent, lambda: bool(writer.written), private_redis.stop)
                == sent
            )
    assert isinstance(writer.failure, RedisFailedError)
    assert no_task_left()


async def test_connections_lost_between_two_runs_are_opened_again(
    private_redis: PrivateRedis,
) -> None:
    async with opened(url=private_redis.url) as event_store:
        await store_run(event_store, run_frames())
        await event_store._client.client_kill_filter(_type="normal", skipme=False)
        [connection] = event_store._client.connection_pool._available_connections
        await eventually(connection.can_read)  # True at its end, too
        run_id = await store_run(event_store, run_frames())
        assert await collect(event_store.frames(run_id)) == run_frames()
