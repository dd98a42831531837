"""Whoever breaks off, the others are told, and nobody waits for ever."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from harness.errors import FrameTooLargeError
from harness.streaming.serving.background import Background, RedisFailedError, RunTakenError
from harness.streaming.serving.client_events import ClientEventReader
from tests.streaming.serving.background.runs import (
    PrivateRedis,
    begun,
    drained,
    eventually,
    frames,
    new_id,
    no_task_left,
    read_into,
    sending,
    told,
    tuned,
    written,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

    from harness.streaming.serving.background import Writer


async def test_a_source_that_raises_raises_and_readers_know_of_it(background: Background) -> None:
    run_id, failure = new_id(), RuntimeError("the agent broke")
    writer = await background.writer(run_id)
    with pytest.raises(RuntimeError) as raised:
        await drained(writer.writing(sending(frames()[:1], failure)))
    assert raised.value is failure
    seen, why = await told(background, run_id)
    assert seen == frames()[:1]
    assert why.endswith("RuntimeError: the agent broke")
    assert no_task_left()


async def test_a_client_that_leaves_ends_the_run(background: Background) -> None:
    run_id = new_id()
    closed: list[str] = []

    async def source() -> AsyncGenerator[bytes, None]:
        try:
            for piece in frames():
                yield piece
        except GeneratorExit:
            closed.append("source")
            raise

    writer = await background.writer(run_id)
    async with aclosing(writer.writing(source())) as stream:
        await anext(stream)
    assert closed == ["source"]
    assert await told(background, run_id) == (
        frames()[:1],
        f"the frames of run {run_id!r} end before the run did: it was stopped",
    )
    assert no_task_left()


async def test_a_cancelled_writer_is_cancelled_and_readers_know_of_it(
    background: Background,
) -> None:
    run_id = new_id()
    writer = await background.writer(run_id)

    async def silent() -> AsyncIterator[bytes]:
        yield frames()[0]
        await asyncio.Event().wait()

    work = asyncio.create_task(drained(writer.writing(silent())))
    async with aclosing(background.read_events(run_id)) as stream:
        await anext(stream)
    work.cancel()
    await asyncio.wait({work})
    assert work.cancelled()
    seen, why = await told(background, run_id)
    assert (seen, why.endswith("it was stopped")) == (frames()[:1], True)
    assert no_task_left()


async def test_a_frame_beyond_the_limit_is_passed_on_but_ends_what_is_kept(
    background: Background, caplog: pytest.LogCaptureFixture
) -> None:
    run_id = new_id()
    writer = await background.writer(run_id)
    writer._reader = ClientEventReader(limit=len(frames()[0]) + 50)
    sent = [frames()[0], frames(["x" * 500])[0], frames()[1]]
    assert await drained(writer.writing(sending(sent))) == sent
    assert isinstance(writer.failure, FrameTooLargeError)
    assert "is not kept any more" in caplog.text
    seen, why = await told(background, run_id)
    assert (seen, "the limit is" in why) == (sent[:1], True)


async def test_a_run_has_one_writer(background: Background) -> None:
    run_id = await written(background, frames())
    with pytest.raises(RunTakenError, match=run_id):
        await background.writer(run_id)


async def test_a_command_redis_refuses_is_an_error_of_ours(background: Background) -> None:
    _, log = await begun(background, frames())
    with pytest.raises(RedisFailedError, match="equal or smaller"):
        await log.append([(1, b"a second writer")])


async def test_a_reader_that_is_cancelled_leaves_a_client_that_works(
    background: Background,
) -> None:
    run_id, _ = await begun(background, frames()[:1])
    reader = asyncio.create_task(drained(background.read_events(run_id)))
    await asyncio.sleep(0.01)
    reader.cancel()
    await asyncio.wait({reader})
    assert reader.cancelled()
    assert await drained(background.read_events(await written(background, frames()))) == frames()


async def interrupted(
    writer: Writer, sent: list[bytes], ready: Callable[[], bool], kill: Callable[[], None]
) -> list[bytes]:
    """Let a run pass, and when all is ready, kill what it is kept in behind its first frame."""

    async def is_ready() -> bool:
        return ready()

    async def source() -> AsyncIterator[bytes]:
        yield sent[0]
        await eventually(is_ready)
        kill()
        for piece in sent[1:]:
            yield piece

    return await drained(writer.writing(source()))


async def test_redis_dies_and_the_client_does_not_notice(
    private: PrivateRedis, caplog: pytest.LogCaptureFixture
) -> None:
    async with tuned(url=private.url, block=1.0) as background:
        run_id, sent = new_id(), frames()
        writer = await background.writer(run_id)
        seen: list[bytes] = []
        reader = asyncio.create_task(read_into(seen, background.read_events(run_id)))
        assert await interrupted(writer, sent, lambda: bool(seen), private.kill) == sent
        with pytest.raises(RedisFailedError):
            await reader
    assert seen == sent[:1]
    assert isinstance(writer.failure, RedisFailedError)
    assert writer.written == 1
    assert run_id in caplog.text
    assert "secret" not in caplog.text
    assert no_task_left()


async def test_redis_hangs_and_the_client_does_not_notice(private: PrivateRedis) -> None:
    async with tuned(url=private.url, block=0.02, patience=0.05) as background:
        writer = await background.writer(new_id())
        sent = frames()
        async with asyncio.timeout(0.5):  # nothing is asked twice, so nobody waits for long
            assert (
                await interrupted(writer, sent, lambda: bool(writer.written), private.stop) == sent
            )
    assert isinstance(writer.failure, RedisFailedError)
    assert no_task_left()


async def test_connections_that_were_lost_between_two_runs_are_opened_again(
    private: PrivateRedis,
) -> None:
    async with tuned(url=private.url) as background:
        await written(background, frames())
        await background._client.client_kill_filter(_type="normal", skipme=False)
        [connection] = background._client.connection_pool._available_connections
        await eventually(connection.can_read)  # as true of its end as of data
        run_id = await written(background, frames())
        assert await drained(background.read_events(run_id)) == frames()
