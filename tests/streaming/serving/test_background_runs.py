"""Runs that go on without their client, over a real Redis: read at once, later, by any process."""

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
    EventStore,
    RedisUnavailableError,
    RunTakenError,
    RunUnknownError,
)
from harness.streaming.serving.client_events import ClientEventReader, client_event_violations
from tests.streaming.serving.background.stored_runs import (
    PREFIX,
    PrivateRedis,
    begin_run,
    collect,
    eventually,
    new_id,
    opened,
    run_frames,
)
from tests.streaming.serving.service_env import CONVERSATION, SILENCE, Received, text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from harness.streaming.serving import AgentChunk, AgentRequest
    from harness.streaming.serving.runs.statuses import StopReason
    from tests.streaming.serving.service_env import ServiceEnv

SCRIPT = [text("a"), text("b"), text("c"), "end_turn"]


@asynccontextmanager
async def opened_runs(
    env: ServiceEnv, event_store: EventStore, script: Any = SCRIPT, **more: Any
) -> AsyncIterator[BackgroundRuns]:
    async with BackgroundRuns(env.scripted(script, **more), event_store) as stored_runs:
        yield stored_runs


def request_of(env: ServiceEnv, **more: Any) -> Any:
    """Return a request for a run with an id that is unique in a shared Redis."""
    return env.request(run_id=new_id(), **more)


async def test_a_run_without_a_client_has_any_number_of_followers(
    env: ServiceEnv, event_store: EventStore
) -> None:
    async with opened_runs(env, event_store) as stored_runs:
        run = await stored_runs.start(request_of(env))
        at_once = await asyncio.gather(*(read(stored_runs, run.id) for _ in range(3)))
        later = await read(stored_runs, run.id)
    assert at_once == [later] * 3
    received = Received(run.id, later)
    assert received.labels == ["message", "message", "message", "stop_reason", "done"]
    assert await env.violations(received, {"end_turn"}) == []


async def test_a_follower_resumes_after_any_event_without_loss_or_repeat(
    env: ServiceEnv, event_store: EventStore
) -> None:
    async with opened_runs(env, event_store) as stored_runs:
        run = await stored_runs.start(request_of(env))
        all_frames = await read(stored_runs, run.id)
        for seq_id, frame in enumerate(all_frames, 1):
            [event] = ClientEventReader().feed(frame)
            assert event.seq_id in {seq_id, None}  # [DONE] alone has none
            assert await read(stored_runs, run.id, seq_id) == all_frames[seq_id:]


async def test_the_client_and_a_follower_receive_the_same(
    env: ServiceEnv, event_store: EventStore
) -> None:
    async with opened_runs(env, event_store) as stored_runs:
        run, own = await stored_runs.stream(request_of(env))
        assert run is not None
        follower = asyncio.create_task(read(stored_runs, run.id))
        sent = await collect(own)
        assert await follower == sent
    assert await env.violations(Received(run.id, sent), {"end_turn"}) == []


def _pings(received: Received) -> list[int]:
    return [event.seq_id or 0 for event in received.events if event.label == "ping"]


async def test_a_follower_of_a_silent_run_receives_pings(
    env: ServiceEnv, event_store: EventStore
) -> None:
    go_on = asyncio.Event()

    async def agent(_: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        yield text("a")
        await go_on.wait()
        yield "end_turn"

    service = env.service(agent, keepalive_s=0.005)
    async with BackgroundRuns(service, event_store) as stored_runs:
        run = await stored_runs.start(request_of(env))
        received = Received(run.id, [])
        async with aclosing(await stored_runs.follow(run.id)) as stream:
            async for piece in stream:
                received.sent.append(piece)
                if _pings(received).count(1) == 2:
                    go_on.set()
    assert _pings(received) == sorted(_pings(received))  # each repeats the number of the last event
    assert client_event_violations(received.events) == []


async def test_no_ping_is_sent_after_the_end(env: ServiceEnv, event_store: EventStore) -> None:
    """The writer may store the end of the run long after [DONE]."""
    run_id, _ = await begin_run(event_store, run_frames())
    async with opened_runs(env, event_store, keepalive_s=0.001) as stored_runs:
        assert (
            client_event_violations(Received(run_id, await read(stored_runs, run_id)).events) == []
        )


async def test_more_runs_are_followed_at_once_than_redis_py_has_connections_by_default(
    env: ServiceEnv, event_store: EventStore
) -> None:
    """The default is 100; every reader holds one while it waits."""
    number, go_on = 120, asyncio.Event()

    async def agent(_: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        yield text("a")
        await go_on.wait()
        yield "end_turn"

    async with BackgroundRuns(env.service(agent), event_store) as stored_runs:
        requests = [request_of(env, conversation=new_id()) for _ in range(number)]
        runs = [await stored_runs.start(request) for request in requests]
        streams = [await stored_runs.follow(run.id) for run in runs]
        await asyncio.gather(*(anext(stream) for stream in streams))
        rest = [asyncio.create_task(collect(stream)) for stream in streams]
        await asyncio.sleep(0.03)  # longer than one read waits
        go_on.set()
        assert {len(await received) for received in rest} == {2}


# Cancelled


async def test_a_cancelled_run_ends_once_for_every_reader(
    env: ServiceEnv, event_store: EventStore
) -> None:
    async with opened_runs(
        env, event_store, [text("a"), SILENCE], keepalive_s=3600.0
    ) as stored_runs:
        run = await stored_runs.start(
            request_of(env)
        )  # the provider falls silent, then the run is cancelled
        during = await read(stored_runs, run.id)
        later = await read(stored_runs, run.id)
    assert during == later  # defect D85
    received = Received(run.id, during)
    assert received.labels == ["message", "stop_reason", "done"]
    assert await env.violations(received, {"cancelled"}) == []


async def test_a_run_is_cancelled_from_another_process(env: ServiceEnv, redis: Any) -> None:
    assert redis

    async def agent(_: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        yield text("a")
        await asyncio.Event().wait()

    service = env.service(agent)
    async with (
        opened(prefix=f"{PREFIX}:{new_id()}") as event_store,  # a channel of its own
        opened(prefix=event_store.settings.prefix) as elsewhere,
        BackgroundRuns(service, event_store) as stored_runs,
        BackgroundRuns(env.service(agent, registry=CancellationRegistry()), elsewhere) as other,
    ):
        run = await stored_runs.start(request_of(env))
        await eventually(lambda: listening(redis, event_store, 2))
        async with aclosing(await other.follow(run.id)) as stream:
            first = await anext(stream)
            assert await other.cancel(run.id)
            received = Received(run.id, [first, *(await collect(stream))])
    assert received.labels == ["message", "stop_reason", "done"]
    assert await env.violations(received, {"cancelled"}) == []


async def test_it_listens_again_after_a_lost_connection(
    env: ServiceEnv, private_redis: PrivateRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.streaming.serving.background_runs.RETRY_S", 0.01)
    async with (
        opened(url=private_redis.url) as event_store,
        BackgroundRuns(env.scripted(SCRIPT), event_store) as stored_runs,
    ):
        client = event_store._client
        await eventually(lambda: listening(client, event_store, 1))
        await client.client_kill_filter(_type="pubsub")
        await eventually(lambda: listening(client, event_store, 1))
        assert await stored_runs.cancel("unknown")


async def listening(client: Any, event_store: EventStore, number: int) -> bool:
    """Whether that many processes listen to the cancel channel."""
    called = client.pubsub_numsub(f"{event_store.settings.prefix}:calling-off")
    [(_, found)] = await called if inspect.isawaitable(called) else called
    return bool(found == number)


async def test_runs_are_cancelled_when_their_process_ends(
    env: ServiceEnv, event_store: EventStore
) -> None:
    async def agent(_: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        yield text("a")
        await asyncio.Event().wait()

    stored_runs = BackgroundRuns(env.service(agent), event_store)
    run = await stored_runs.start(request_of(env))
    async with aclosing(await stored_runs.follow(run.id)) as stream:
        first = await anext(stream)
        await stored_runs.aclose()
        received = Received(run.id, [first, *(await collect(stream))])
    assert received.labels == ["message", "stop_reason", "done"]
    assert await env.violations(received, {"cancelled"}) == []


async def test_a_caller_that_is_cancelled_before_the_run_exists_creates_none(
    env: ServiceEnv, event_store: EventStore
) -> None:
    called, go_on = asyncio.Event(), asyncio.Event()

    async def admit(_: object) -> None:
        called.set()
        await go_on.wait()

    async with opened_runs(env, event_store, admit=admit) as stored_runs:
        starting = asyncio.create_task(stored_runs.start(request_of(env)))
        await called.wait()
        starting.cancel()
        go_on.set()
        await asyncio.wait({starting})
    assert starting.cancelled()
    assert await env.violations(Received("none", aborted=True), set()) == []


async def test_a_client_that_disconnects_before_the_first_event_ends_its_run(
    env: ServiceEnv, event_store: EventStore
) -> None:
    async with opened_runs(env, event_store) as stored_runs:
        run, own = await stored_runs.stream(request_of(env))
        assert run is not None
        await own.aclose()
    assert await env.violations(Received(run.id, aborted=True), {"cancelled"}) == []


async def test_a_follower_of_a_silent_run_can_be_cancelled_at_every_turn_of_the_loop(
    env: ServiceEnv, event_store: EventStore
) -> None:
    """redis-py swallows a cancellation while it connects."""

    async def agent(_: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        await asyncio.Event().wait()
        yield "end_turn"

    async with BackgroundRuns(env.service(agent), event_store) as stored_runs:
        run = await stored_runs.start(request_of(env))
        for turns in range(30):
            reading = asyncio.create_task(read(stored_runs, run.id))
            for _ in range(turns):
                await asyncio.sleep(0)
            reading.cancel()
            done, _ = await asyncio.wait({reading}, timeout=5)
            assert done, f"it reads on, cancelled after {turns} turns"


# Refused


async def test_a_busy_conversation_is_refused_before_anything_is_stored(
    env: ServiceEnv, event_store: EventStore
) -> None:
    async with opened_runs(env, event_store) as stored_runs, env.other.acquire(CONVERSATION):
        request = request_of(env)
        with pytest.raises(ConversationBusyError):
            await stored_runs.start(request)
        with pytest.raises(RunUnknownError):
            await stored_runs.follow(request.run_id)
    assert await env.runs.by_agent("agent") == []


async def test_a_run_with_a_stored_id_is_refused(env: ServiceEnv, event_store: EventStore) -> None:
    run_id, _ = await begin_run(event_store, run_frames())
    async with opened_runs(env, event_store) as stored_runs:
        with pytest.raises(RunTakenError):
            await stored_runs.start(env.request(run_id=run_id))
    assert await env.violations(Received(run_id, aborted=True), {"cancelled"}) == []


async def test_without_redis_runs_with_a_client_still_work(
    env: ServiceEnv, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with (
        opened(url=f"redis://127.0.0.1:{port}/0") as nowhere,
        opened_runs(env, nowhere) as stored_runs,
    ):
        for attempt in (stored_runs.start(request_of(env)), stored_runs.follow("r")):
            with pytest.raises(RedisUnavailableError, match=f"`redis-server --port {port}`"):
                await attempt
        run, own = await stored_runs.stream(request_of(env))
        assert run is not None
        received = Received(run.id, await collect(own))
    assert f"run {run.id!r} is not stored: no Redis at 127.0.0.1:{port}" in caplog.text
    assert await env.violations(received, {"end_turn"}) == []


def test_untracked_runs_cannot_be_stored(env: ServiceEnv) -> None:
    with pytest.raises(InputError, match="tracked"):
        BackgroundRuns(env.scripted(SCRIPT, runs=None), EventStore())


# Followers that lose the run


async def test_a_follower_of_a_dead_writer_receives_an_end(env: ServiceEnv, redis: Any) -> None:
    assert redis
    async with (
        opened(heartbeat_timeout=0.03) as event_store,
        opened_runs(env, event_store) as stored_runs,
    ):
        run_id, _ = await begin_run(event_store, run_frames()[:2])
        received = Received(run_id, await read(stored_runs, run_id))
    assert received.labels == ["message", "message", "stop_reason", "error", "done"]
    assert [event.seq_id for event in received.events] == [1, 2, 2, 2, None]  # resume after 2
    assert received.reason == "error"
    assert received.body("error")["error_type"] == "stream_incomplete"
    assert "no heartbeat" in received.body("error")["detail"]


async def test_the_followers_of_a_disconnected_client_see_a_cancelled_run(
    env: ServiceEnv, event_store: EventStore
) -> None:
    async with opened_runs(env, event_store) as stored_runs:
        run, own = await stored_runs.stream(request_of(env))
        assert run is not None
        async with aclosing(own):
            first = await anext(own)
        received = Received(run.id, await read(stored_runs, run.id))
    assert received.sent[0] == first
    assert received.labels == ["message", "stop_reason", "done"]
    assert await env.violations(received, {"cancelled"}) == []


async def test_a_run_outlives_the_redis_that_stored_it(
    env: ServiceEnv, private_redis: PrivateRedis
) -> None:
    go_on = asyncio.Event()

    async def agent(_: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        yield text("a")
        await go_on.wait()
        yield text("b")
        yield "end_turn"

    async with (
        opened(url=private_redis.url, block=1.0) as event_store,
        BackgroundRuns(env.service(agent), event_store) as stored_runs,
    ):
        run = await stored_runs.start(request_of(env))
        stream = await stored_runs.follow(run.id)
        received = Received(run.id, [await anext(stream)])
        private_redis.kill()
        received.sent += await collect(stream)
        go_on.set()
        await eventually(lambda: ended(env, run.id))
    assert received.labels == ["message", "stop_reason", "error", "done"]
    assert "Redis failed" in received.body("error")["detail"]
    own = Received(run.id, received.sent[:1], aborted=True)  # nothing receives the run's own end
    assert await env.violations(own, {"end_turn"}) == []


async def ended(env: ServiceEnv, run_id: str) -> bool:
    run = await env.runs.get(run_id)
    return run is not None and run.terminal


async def read(stored_runs: BackgroundRuns, run_id: str, after: int = 0) -> list[bytes]:
    return await collect(await stored_runs.follow(run_id, after))
