"""Runs that go on without their client, over a real Redis: read now, later, and from any place."""

from __future__ import annotations

import asyncio
import inspect
import socket
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import ConversationBusyError, InputError
from harness.streaming.cancellation import CancellationRegistry
from harness.streaming.serving import BackgroundRuns
from harness.streaming.serving.background import (
    Background,
    RedisAwayError,
    RunTakenError,
    RunUnknownError,
)
from harness.streaming.serving.client_events import ClientEventReader, client_event_violations
from tests.streaming.serving.background.runs import (
    PREFIX,
    PrivateRedis,
    begun,
    drained,
    eventually,
    frames,
    new_id,
    tuned,
)
from tests.streaming.serving.world import CONVERSATION, SILENCE, Heard, text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from harness.streaming.serving import AgentChunk, AgentRequest
    from harness.streaming.serving.runs.statuses import StopReason
    from tests.streaming.serving.world import World

SCRIPT = [text("a"), text("b"), text("c"), "end_turn"]


@asynccontextmanager
async def keeping(
    world: World, background: Background, script: Any = SCRIPT, **more: Any
) -> AsyncIterator[BackgroundRuns]:
    async with BackgroundRuns(world.service(script, **more), background) as kept:
        yield kept


def named(world: World, **more: Any) -> Any:
    """Ask for a run whose id is in nobody's way in a shared Redis."""
    return world.request(run_id=new_id(), **more)


def heard(run_id: str, sent: list[bytes]) -> Heard:
    return Heard(run_id, sent)


async def test_a_run_without_a_client_is_read_by_any_number(
    world: World, background: Background
) -> None:
    async with keeping(world, background) as kept:
        run = await kept.start(named(world))
        now = await asyncio.gather(*(read(kept, run.id) for _ in range(3)))
        later = await read(kept, run.id)
    assert now == [later] * 3
    told = heard(run.id, later)
    assert told.labels == ["message", "message", "message", "stop_reason", "done"]
    assert await world.complaints(told, {"end_turn"}) == []


async def test_a_reader_resumes_behind_any_frame_without_loss_or_repeat(
    world: World, background: Background
) -> None:
    async with keeping(world, background) as kept:
        run = await kept.start(named(world))
        whole = await read(kept, run.id)
        for number, frame in enumerate(whole, 1):
            [found] = ClientEventReader().feed(frame)
            assert found.seq_id in {number, None}  # [DONE] alone has none
            assert await read(kept, run.id, number) == whole[number:]


async def test_a_client_of_its_own_and_a_follower_get_the_same(
    world: World, background: Background
) -> None:
    async with keeping(world, background) as kept:
        run, own = await kept.stream(named(world))
        assert run is not None
        follower = asyncio.create_task(read(kept, run.id))
        sent = await drained(own)
        assert await follower == sent
    assert await world.complaints(heard(run.id, sent), {"end_turn"}) == []


def _pings(told: Heard) -> list[int]:
    return [frame.seq_id or 0 for frame in told.frames if frame.label == "ping"]


async def test_a_follower_of_a_silent_run_is_kept_alive(
    world: World, background: Background
) -> None:
    go_on = asyncio.Event()

    async def slow(_: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        yield text("a")
        await go_on.wait()
        yield "end_turn"

    service = world.serving(slow, keepalive_s=0.005)
    async with BackgroundRuns(service, background) as kept:
        run = await kept.start(named(world))
        told = heard(run.id, [])
        async with aclosing(await kept.follow(run.id)) as stream:
            async for piece in stream:
                told.sent.append(piece)
                if _pings(told).count(1) == 2:
                    go_on.set()
    assert _pings(told) == sorted(_pings(told))  # each repeats the number of the last frame
    assert client_event_violations(told.frames) == []


async def test_nothing_is_said_behind_the_end(world: World, background: Background) -> None:
    """Its writer may take its time to say that no more will come; [DONE] has said so already."""
    run_id, _ = await begun(background, frames())
    async with keeping(world, background, keepalive_s=0.001) as kept:
        assert client_event_violations(heard(run_id, await read(kept, run_id)).frames) == []


async def test_more_runs_are_followed_at_once_than_a_client_of_redis_has_connections(
    world: World, background: Background
) -> None:
    """redis-py lends 100 connections; every reader that waits holds one."""
    count, go_on = 120, asyncio.Event()

    async def waits(_: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        yield text("a")
        await go_on.wait()
        yield "end_turn"

    async with BackgroundRuns(world.serving(waits), background) as kept:
        requests = [named(world, conversation=new_id()) for _ in range(count)]
        runs = [await kept.start(request) for request in requests]
        streams = [await kept.follow(run.id) for run in runs]
        await asyncio.gather(*(anext(stream) for stream in streams))
        rest = [asyncio.create_task(drained(stream)) for stream in streams]
        await asyncio.sleep(0.03)  # longer than one read waits
        go_on.set()
        assert {len(await told) for told in rest} == {2}


# Cancelled


async def test_a_cancelled_run_ends_once_for_every_reader(
    world: World, background: Background
) -> None:
    async with keeping(world, background, [text("a"), SILENCE], keepalive_s=3600.0) as kept:
        run = await kept.start(named(world))  # the provider falls silent, and somebody cancels
        live = await read(kept, run.id)
        again = await read(kept, run.id)
    assert live == again  # defect D85
    told = heard(run.id, live)
    assert told.labels == ["message", "stop_reason", "done"]
    assert await world.complaints(told, {"cancelled"}) == []


async def test_a_run_is_cancelled_from_another_process(world: World, redis: Any) -> None:
    assert redis

    async def waits(_: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        yield text("a")
        await asyncio.Event().wait()

    service = world.serving(waits)
    async with (
        tuned(prefix=f"{PREFIX}:{new_id()}") as here,  # a channel of its own
        tuned(prefix=here.settings.prefix) as there,
        BackgroundRuns(service, here) as kept,
        BackgroundRuns(world.serving(waits, registry=CancellationRegistry()), there) as other,
    ):
        run = await kept.start(named(world))
        await eventually(lambda: listening(redis, here, 2))
        async with aclosing(await other.follow(run.id)) as stream:
            first = await anext(stream)
            assert await other.cancel(run.id)
            told = heard(run.id, [first, *(await drained(stream))])
    assert told.labels == ["message", "stop_reason", "done"]
    assert await world.complaints(told, {"cancelled"}) == []


async def test_after_redis_was_away_it_listens_again(
    world: World, private: PrivateRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.streaming.serving.background_runs.AGAIN_S", 0.01)
    async with (
        tuned(url=private.url) as background,
        BackgroundRuns(world.service(SCRIPT), background) as kept,
    ):
        client = background._client
        await eventually(lambda: listening(client, background, 1))
        await client.client_kill_filter(_type="pubsub")
        await eventually(lambda: listening(client, background, 1))
        assert await kept.cancel("nobody's")


async def listening(client: Any, background: Background, count: int) -> bool:
    """Whether that many processes listen for what is called off."""
    asked = client.pubsub_numsub(f"{background.settings.prefix}:calling-off")
    [(_, found)] = await asked if inspect.isawaitable(asked) else asked
    return bool(found == count)


async def test_runs_are_cancelled_when_their_process_ends(
    world: World, background: Background
) -> None:
    async def waits(_: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        yield text("a")
        await asyncio.Event().wait()

    kept = BackgroundRuns(world.serving(waits), background)
    run = await kept.start(named(world))
    async with aclosing(await kept.follow(run.id)) as stream:
        first = await anext(stream)
        await kept.aclose()
        told = heard(run.id, [first, *(await drained(stream))])
    assert told.labels == ["message", "stop_reason", "done"]
    assert await world.complaints(told, {"cancelled"}) == []


async def test_whoever_gives_up_before_there_is_a_run_leaves_none(
    world: World, background: Background
) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def admit(_: object) -> None:
        asked.set()
        await go_on.wait()

    async with keeping(world, background, admit=admit) as kept:
        starting = asyncio.create_task(kept.start(named(world)))
        await asked.wait()
        starting.cancel()
        go_on.set()
        await asyncio.wait({starting})
    assert starting.cancelled()
    assert await world.complaints(Heard("none", left=True), set()) == []


async def test_a_client_that_leaves_before_the_first_frame_ends_its_run(
    world: World, background: Background
) -> None:
    async with keeping(world, background) as kept:
        run, own = await kept.stream(named(world))
        assert run is not None
        await own.aclose()
    assert await world.complaints(Heard(run.id, left=True), {"cancelled"}) == []


async def test_a_follower_of_a_silent_run_may_leave_at_every_turn_of_the_loop(
    world: World, background: Background
) -> None:
    """redis-py loses a cancellation while it connects."""

    async def waits(_: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        await asyncio.Event().wait()
        yield "end_turn"

    async with BackgroundRuns(world.serving(waits), background) as kept:
        run = await kept.start(named(world))
        for turns in range(30):
            reading = asyncio.create_task(read(kept, run.id))
            for _ in range(turns):
                await asyncio.sleep(0)
            reading.cancel()
            done, _ = await asyncio.wait({reading}, timeout=5)
            assert done, f"it reads on, cancelled after {turns} turns"


# Refused


async def test_a_busy_conversation_is_refused_before_anything_is_kept(
    world: World, background: Background
) -> None:
    async with keeping(world, background) as kept, world.other.held(CONVERSATION):
        request = named(world)
        with pytest.raises(ConversationBusyError):
            await kept.start(request)
        with pytest.raises(RunUnknownError):
            await kept.follow(request.run_id)
    assert await world.runs.by_agent("agent") == []


async def test_a_run_whose_frames_somebody_else_keeps_is_refused(
    world: World, background: Background
) -> None:
    run_id, _ = await begun(background, frames())
    async with keeping(world, background) as kept:
        with pytest.raises(RunTakenError):
            await kept.start(world.request(run_id=run_id))
    assert await world.complaints(Heard(run_id, left=True), {"cancelled"}) == []


async def test_without_redis_only_what_needs_it_is_refused(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with (
        tuned(url=f"redis://127.0.0.1:{port}/0") as nowhere,
        keeping(world, nowhere) as kept,
    ):
        for asked in (kept.start(named(world)), kept.follow("r")):
            with pytest.raises(RedisAwayError, match=f"`redis-server --port {port}`"):
                await asked
        run, own = await kept.stream(named(world))
        assert run is not None
        told = heard(run.id, await drained(own))
    assert f"run {run.id!r} is not kept: no Redis at 127.0.0.1:{port}" in caplog.text
    assert await world.complaints(told, {"end_turn"}) == []


def test_runs_that_are_not_tracked_cannot_be_kept(world: World) -> None:
    with pytest.raises(InputError, match="tracked"):
        BackgroundRuns(world.service(SCRIPT, runs=None), Background())


# Left behind


async def test_a_follower_of_a_writer_that_died_is_told_an_end(world: World, redis: Any) -> None:
    assert redis
    async with (
        tuned(alive_for=0.03) as background,
        keeping(world, background) as kept,
    ):
        run_id, _ = await begun(background, frames()[:2])
        told = heard(run_id, await read(kept, run_id))
    assert told.labels == ["message", "message", "stop_reason", "error", "done"]
    assert [frame.seq_id for frame in told.frames] == [1, 2, 2, 2, None]  # resume behind 2
    assert told.reason == "error"
    assert told.body("error")["error_type"] == "stream_incomplete"
    assert "no sign of life" in told.body("error")["detail"]


async def test_a_run_whose_client_left_is_a_cancelled_one_to_its_followers(
    world: World, background: Background
) -> None:
    async with keeping(world, background) as kept:
        run, own = await kept.stream(named(world))
        assert run is not None
        async with aclosing(own):
            first = await anext(own)
        told = heard(run.id, await read(kept, run.id))
    assert told.sent[0] == first
    assert told.labels == ["message", "stop_reason", "done"]
    assert await world.complaints(told, {"cancelled"}) == []


async def test_a_run_outlives_the_redis_that_kept_it(world: World, private: PrivateRedis) -> None:
    go_on = asyncio.Event()

    async def waits(_: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        yield text("a")
        await go_on.wait()
        yield text("b")
        yield "end_turn"

    async with (
        tuned(url=private.url, block=1.0) as background,
        BackgroundRuns(world.serving(waits), background) as kept,
    ):
        run = await kept.start(named(world))
        stream = await kept.follow(run.id)
        told = heard(run.id, [await anext(stream)])
        private.kill()
        told.sent += await drained(stream)
        go_on.set()
        await eventually(lambda: ended(world, run.id))
    assert told.labels == ["message", "stop_reason", "error", "done"]
    assert "Redis failed" in told.body("error")["detail"]
    own = Heard(run.id, told.sent[:1], left=True)  # the run's own end is nobody's any more
    assert await world.complaints(own, {"end_turn"}) == []


async def ended(world: World, run_id: str) -> bool:
    run = await world.runs.get(run_id)
    return run is not None and run.terminal


async def read(kept: BackgroundRuns, run_id: str, after: int = 0) -> list[bytes]:
    return await drained(await kept.follow(run_id, after))
