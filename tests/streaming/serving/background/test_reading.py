"""Runs kept in a real Redis: read from any place, at any time, whoever dies meanwhile."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.streaming.serving.background import Background, RunUnknownError
from harness.streaming.serving.client_events import ClientEvent, ClientEventReader, write
from harness.wire.cutting import cut
from tests.streaming.serving.background.runs import (
    PREFIX,
    begun,
    drained,
    failing,
    frames,
    new_id,
    no_task_left,
    sending,
    told,
    tuned,
    written,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


async def test_a_run_is_read_as_it_was_written(background: Background) -> None:
    sent = frames()
    run_id = new_id()
    writer = await background.writer(run_id)
    assert await drained(writer.writing(sending(sent))) == sent
    assert (writer.written, writer.failure) == (len(sent), None)
    for _ in range(2):  # defect D85: a replay equals the record
        assert await drained(background.read_events(run_id)) == sent
    assert no_task_left()


words = st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=5), max_size=9)


@given(
    st.one_of(words.map(frames), words.map(failing)),
    st.sampled_from(["event", "whole", "byte", "awkward", "random:3"]),
    st.integers(1, 12),
    st.integers(0, 16),
)
@settings(max_examples=60, deadline=None)
async def test_any_reader_gets_what_it_has_not_seen(
    redis: Any, sent: list[bytes], plan: str, batch_size: int, after: int
) -> None:
    """Defect D84: error frames and [DONE] have their numbers and reach every reader once."""
    assert redis
    async with tuned(batch_size=batch_size) as background:
        run_id = await written(background, cut(sent, plan))
        assert await drained(background.read_events(run_id, after)) == sent[after:]


@given(st.lists(st.integers(0, 12), max_size=5), st.integers(1, 5))
@settings(max_examples=15, deadline=None)
async def test_a_reader_may_die_and_come_back_while_the_run_goes_on(
    redis: Any, stays: list[int], batch_size: int
) -> None:
    assert redis
    sent, seen = frames(map(str, range(9))), list[bytes]()
    async with tuned(batch_size=batch_size) as background:
        run_id = new_id()
        writer = await background.writer(run_id)

        async def slowly() -> AsyncIterator[bytes]:
            for piece in sent:
                await asyncio.sleep(0.001)
                yield piece

        work = asyncio.create_task(drained(writer.writing(slowly())))
        for stay in stays:
            async with aclosing(background.read_events(run_id, len(seen))) as stream:
                while stay and len(seen) < len(sent):
                    seen.append(await anext(stream))
                    stay -= 1  # noqa: PLW2901 - how long this reader still stays
        seen += await drained(background.read_events(run_id, len(seen)))
        await work
    assert seen == sent


async def test_a_reader_may_be_there_before_the_first_frame(background: Background) -> None:
    run_id, sent = new_id(), frames()
    writer = await background.writer(run_id)
    early = asyncio.create_task(drained(background.read_events(run_id)))
    await asyncio.sleep(0.03)  # longer than one read waits
    await drained(writer.writing(sending(sent)))
    assert await early == sent


async def test_frames_reach_readers_while_the_run_goes_on(background: Background) -> None:
    run_id, sent = new_id(), frames()
    more = asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        yield sent[0]
        await more.wait()
        for piece in sent[1:]:
            yield piece

    writer = await background.writer(run_id)
    work = asyncio.create_task(drained(writer.writing(source())))
    async with aclosing(background.read_events(run_id)) as stream:
        assert await anext(stream) == sent[0]
        assert not work.done()
        more.set()
        assert await drained(stream) == sent[1:]
    assert await work == sent


async def test_a_full_batch_does_not_wait_for_its_age(redis: Any) -> None:
    assert redis
    held = asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        for piece in frames()[:2]:
            yield piece
        await held.wait()

    async with tuned(batch_size=2, batch_age=60.0) as background:
        run_id = new_id()
        writer = await background.writer(run_id)
        work = asyncio.create_task(drained(writer.writing(source())))
        async with asyncio.timeout(1), aclosing(background.read_events(run_id)) as stream:
            assert [await anext(stream), await anext(stream)] == frames()[:2]
        held.set()
        await work


async def test_text_is_kept_as_bytes_are(background: Background) -> None:
    run_id = new_id()
    writer = await background.writer(run_id)
    texts = [piece.decode() for piece in frames()]
    assert await drained(writer.writing(sending(texts))) == texts
    assert await drained(background.read_events(run_id)) == frames()


async def test_what_lacks_a_number_and_a_run_gets_them(background: Background) -> None:
    bare = {"message_type": "tool_return_message", "seq_id": None, "run_id": None}
    ping = {"message_type": "ping", "seq_id": 1, "run_id": None}
    own = {"message_type": "assistant_message", "seq_id": 7, "run_id": "own"}
    stale = {"message_type": "assistant_message", "seq_id": 3, "run_id": "own"}
    bodies = (bare, ping, own, stale)
    run_id = await written(background, [write(ClientEvent(None, dict(body))) for body in bodies])
    kept = ClientEventReader().feed(b"".join(await drained(background.read_events(run_id))))
    assert [frame.body for frame in kept] == [{**bare, "seq_id": 1, "run_id": run_id}, own, stale]
    # Its own number counts where it rises, so a client may resume behind the number it has read.
    assert len(await drained(background.read_events(run_id, 1))) == 2
    assert len(await drained(background.read_events(run_id, 7))) == 1


# Where a reader ends


@pytest.mark.parametrize("beyond", [0, 1, 100])
async def test_behind_the_last_frame_of_a_complete_run_a_reader_ends_at_once(
    redis: Any, beyond: int
) -> None:
    """Defect D84: it polled for ever."""
    assert redis
    async with tuned(block=4.0) as background:
        run_id = await written(background, frames())
        started = time.monotonic()
        assert await drained(background.read_events(run_id, len(frames()) + beyond)) == []
        assert time.monotonic() - started < 1


async def test_an_empty_run_is_complete(background: Background) -> None:
    assert await drained(background.read_events(await written(background, []))) == []


async def test_a_reader_that_is_ahead_of_a_running_run_waits_for_its_end(
    background: Background,
) -> None:
    run_id, log = await begun(background, frames())
    ahead = asyncio.create_task(drained(background.read_events(run_id, 50)))
    await asyncio.sleep(0.03)
    assert not ahead.done()
    await log.end([], len(frames()), "complete")
    assert await ahead == []


async def test_a_run_nobody_wrote_is_unknown(background: Background) -> None:
    with pytest.raises(RunUnknownError, match="it never was, or has expired"):
        await drained(background.read_events(new_id()))


async def test_a_run_expires_behind_its_end(redis: Any) -> None:
    assert redis
    async with tuned(ttl=0.5, alive_for=0.5) as background:
        run_id = await written(background, frames())
        assert await drained(background.read_events(run_id)) == frames()
        await asyncio.sleep(0.6)
        with pytest.raises(RunUnknownError):
            await drained(background.read_events(run_id))


async def test_a_run_that_expires_under_its_reader_is_unknown(
    redis: Any, background: Background
) -> None:
    run_id, _ = await begun(background, frames()[:1])
    stream = background.read_events(run_id)
    assert await anext(stream) == frames()[0]
    redis.delete(*redis.scan_iter(f"{PREFIX}:*{run_id}*"))
    with pytest.raises(RunUnknownError):
        await anext(stream)


async def test_a_run_that_redis_lost_is_not_begun_again_in_its_middle(
    redis: Any, background: Background
) -> None:
    run_id, log = await begun(background, frames()[:1])
    redis.delete(*redis.scan_iter(f"{PREFIX}:*{run_id}*"))
    for write_on in (log.append([]), log.append([(2, b"x")]), log.end([], 1, "complete")):
        with pytest.raises(RunUnknownError):
            await write_on
    with pytest.raises(RunUnknownError):
        await drained(background.read_events(run_id))


async def test_frames_are_kept_for_their_time_and_no_longer(redis: Any) -> None:
    async with tuned(ttl=60.0) as background:
        run_id = await written(background, frames())
        [key] = redis.scan_iter(f"{PREFIX}:*{run_id}*")
        assert 50_000 < redis.pttl(key) <= 60_000


async def test_a_writer_that_died_is_noticed(redis: Any) -> None:
    assert redis
    async with tuned(alive_for=0.03) as background:
        run_id, _ = await begun(background, frames()[:2])
        seen, why = await told(background, run_id)
    assert (seen, why.endswith("its writer gives no sign of life")) == (frames()[:2], True)


async def test_a_writer_that_waits_for_a_silent_source_lives(redis: Any) -> None:
    assert redis
    async with tuned(alive_for=0.5, ttl=0.8) as background:
        run_id = new_id()
        writer = await background.writer(run_id)

        async def silent() -> AsyncIterator[bytes]:
            await asyncio.sleep(1.2)  # longer than a dead one would be believed, or kept
            for piece in frames():
                yield piece

        work = asyncio.create_task(drained(writer.writing(silent())))
        assert await drained(background.read_events(run_id)) == frames()
        await work
