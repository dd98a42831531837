"""Stored runs are read in any process, at any time, whatever fails meanwhile."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.streaming.serving.background import EventStore, RunUnknownError
from harness.streaming.serving.client_events import ClientEvent, ClientEventReader, write
from harness.wire.cut_plans import cut
from tests.streaming.serving.background.stored_runs import (
    PREFIX,
    begin_run,
    collect,
    failed_run_frames,
    new_id,
    no_task_left,
    opened,
    read_broken_run,
    run_frames,
    source_of,
    store_run,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


async def test_a_run_is_read_as_it_was_written(event_store: EventStore) -> None:
    sent = run_frames()
    run_id = new_id()
    writer = await event_store.writer(run_id)
    assert await collect(writer.writing(source_of(sent))) == sent
    assert (writer.written, writer.failure) == (len(sent), None)
    for _ in range(2):  # defect D85: a replay equals the record
        assert await collect(event_store.frames(run_id)) == sent
    assert no_task_left()


words = st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=5), max_size=9)


@given(
    st.one_of(words.map(run_frames), words.map(failed_run_frames)),
    st.sampled_from(["event", "whole", "byte", "awkward", "random:3"]),
    st.integers(1, 12),
    st.integers(0, 16),
)
@settings(max_examples=60, deadline=None)
async def test_a_reader_receives_the_events_after_its_last_one(
    redis: Any, sent: list[bytes], plan: str, batch_size: int, after: int
) -> None:
    """Defect D84: errors and [DONE] have numbers and reach every reader once."""
    assert redis
    async with opened(batch_size=batch_size) as event_store:
        run_id = await store_run(event_store, cut(sent, plan))
        assert await collect(event_store.frames(run_id, after)) == sent[after:]


@given(st.lists(st.integers(0, 12), max_size=5), st.integers(1, 5))
@settings(max_examples=15, deadline=None)
async def test_a_reader_may_disconnect_and_resume_during_the_run(
    redis: Any, reads: list[int], batch_size: int
) -> None:
    assert redis
    sent, received = run_frames(map(str, range(9))), list[bytes]()
    async with opened(batch_size=batch_size) as event_store:
        run_id = new_id()
        writer = await event_store.writer(run_id)

        async def slow_source() -> AsyncIterator[bytes]:
            for piece in sent:
                await asyncio.sleep(0.001)
                yield piece

        work = asyncio.create_task(collect(writer.writing(slow_source())))
        for wanted in reads:
            async with aclosing(event_store.frames(run_id, len(received))) as stream:
                while wanted and len(received) < len(sent):
                    received.append(await anext(stream))
                    wanted -= 1  # noqa: PLW2901 - the events this reader still waits for
        received += await collect(event_store.frames(run_id, len(received)))
        await work
    assert received == sent


async def test_a_reader_may_start_before_the_first_event(event_store: EventStore) -> None:
    run_id, sent = new_id(), run_frames()
    writer = await event_store.writer(run_id)
    early = asyncio.create_task(collect(event_store.frames(run_id)))
    await asyncio.sleep(0.03)  # longer than one read waits
    await collect(writer.writing(source_of(sent)))
    assert await early == sent


async def test_events_reach_readers_during_the_run(event_store: EventStore) -> None:
    run_id, sent = new_id(), run_frames()
    more = asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        yield sent[0]
        await more.wait()
        for piece in sent[1:]:
            yield piece

    writer = await event_store.writer(run_id)
    work = asyncio.create_task(collect(writer.writing(source())))
    async with aclosing(event_store.frames(run_id)) as stream:
        assert await anext(stream) == sent[0]
        assert not work.done()
        more.set()
        assert await collect(stream) == sent[1:]
    assert await work == sent


async def test_a_full_batch_does_not_wait_for_its_age(redis: Any) -> None:
    assert redis
    release = asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        for piece in run_frames()[:2]:
            yield piece
        await release.wait()

    async with opened(batch_size=2, batch_age=60.0) as event_store:
        run_id = new_id()
        writer = await event_store.writer(run_id)
        work = asyncio.create_task(collect(writer.writing(source())))
        async with asyncio.timeout(1), aclosing(event_store.frames(run_id)) as stream:
            assert [await anext(stream), await anext(stream)] == run_frames()[:2]
        release.set()
        await work


async def test_text_is_stored_as_bytes_are(event_store: EventStore) -> None:
    run_id = new_id()
    writer = await event_store.writer(run_id)
    texts = [piece.decode() for piece in run_frames()]
    assert await collect(writer.writing(source_of(texts))) == texts
    assert await collect(event_store.frames(run_id)) == run_frames()


async def test_events_without_number_or_run_get_them(event_store: EventStore) -> None:
    bare = {"message_type": "tool_return_message", "seq_id": None, "run_id": None}
    ping = {"message_type": "ping", "seq_id": 1, "run_id": None}
    own = {"message_type": "assistant_message", "seq_id": 7, "run_id": "own"}
    stale = {"message_type": "assistant_message", "seq_id": 3, "run_id": "own"}
    bodies = (bare, ping, own, stale)
    run_id = await store_run(event_store, [write(ClientEvent(None, dict(body))) for body in bodies])
    stored = ClientEventReader().feed(b"".join(await collect(event_store.frames(run_id))))
    assert [frame.body for frame in stored] == [{**bare, "seq_id": 1, "run_id": run_id}, own, stale]
    # Its own number is used if it increases, so a client can resume after the number it has read.
    assert len(await collect(event_store.frames(run_id, 1))) == 2
    assert len(await collect(event_store.frames(run_id, 7))) == 1


# The end of a reader


@pytest.mark.parametrize("beyond", [0, 1, 100])
async def test_a_reader_after_the_last_event_of_a_complete_run_ends_at_once(
    redis: Any, beyond: int
) -> None:
    """Defect D84: it polled forever."""
    assert redis
    async with opened(block=4.0) as event_store:
        run_id = await store_run(event_store, run_frames())
        started = time.monotonic()
        assert await collect(event_store.frames(run_id, len(run_frames()) + beyond)) == []
        assert time.monotonic() - started < 1


async def test_an_empty_run_is_complete(event_store: EventStore) -> None:
    assert await collect(event_store.frames(await store_run(event_store, []))) == []


async def test_a_reader_ahead_of_a_run_waits_for_its_end(
    event_store: EventStore,
) -> None:
    run_id, log = await begin_run(event_store, run_frames())
    ahead = asyncio.create_task(collect(event_store.frames(run_id, 50)))
    await asyncio.sleep(0.03)
    assert not ahead.done()
    await log.end([], len(run_frames()), "complete")
    assert await ahead == []


async def test_a_run_that_was_never_stored_is_unknown(event_store: EventStore) -> None:
    with pytest.raises(RunUnknownError, match="it does not exist, or has expired"):
        await collect(event_store.frames(new_id()))


async def test_a_run_expires_after_its_end(redis: Any) -> None:
    assert redis
    async with opened(ttl=0.5, heartbeat_timeout=0.5) as event_store:
        run_id = await store_run(event_store, run_frames())
        assert await collect(event_store.frames(run_id)) == run_frames()
        await asyncio.sleep(0.6)
        with pytest.raises(RunUnknownError):
            await collect(event_store.frames(run_id))


async def test_a_run_that_expires_while_it_is_read_is_unknown(
    redis: Any, event_store: EventStore
) -> None:
    run_id, _ = await begin_run(event_store, run_frames()[:1])
    stream = event_store.frames(run_id)
    assert await anext(stream) == run_frames()[0]
    redis.delete(*redis.scan_iter(f"{PREFIX}:*{run_id}*"))
    with pytest.raises(RunUnknownError):
        await anext(stream)


async def test_a_run_that_redis_lost_is_not_created_again(
    redis: Any, event_store: EventStore
) -> None:
    run_id, log = await begin_run(event_store, run_frames()[:1])
    redis.delete(*redis.scan_iter(f"{PREFIX}:*{run_id}*"))
    for attempt in (log.append([]), log.append([(2, b"x")]), log.end([], 1, "complete")):
        with pytest.raises(RunUnknownError):
            await attempt
    with pytest.raises(RunUnknownError):
        await collect(event_store.frames(run_id))


async def test_frames_are_stored_for_their_ttl(redis: Any) -> None:
    async with opened(ttl=60.0) as event_store:
        run_id = await store_run(event_store, run_frames())
        [key] = redis.scan_iter(f"{PREFIX}:*{run_id}*")
        assert 50_000 < redis.pttl(key) <= 60_000


async def test_a_dead_writer_is_noticed(redis: Any) -> None:
    assert redis
    async with opened(heartbeat_timeout=0.03) as event_store:
        run_id, _ = await begin_run(event_store, run_frames()[:2])
        received, why = await read_broken_run(event_store, run_id)
    assert (received, why.endswith("its writer sends no heartbeat")) == (run_frames()[:2], True)


async def test_a_writer_of_a_silent_source_stays_alive(redis: Any) -> None:
    assert redis
    async with opened(heartbeat_timeout=0.5, ttl=0.8) as event_store:
        run_id = new_id()
        writer = await event_store.writer(run_id)

        async def silent() -> AsyncIterator[bytes]:
            await asyncio.sleep(1.2)  # longer than heartbeat_timeout and ttl
            for piece in run_frames():
                yield piece

        work = asyncio.create_task(collect(writer.writing(silent())))
        assert await collect(event_store.frames(run_id)) == run_frames()
        await work
