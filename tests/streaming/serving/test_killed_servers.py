"""Redis and PostgreSQL are killed in the middle of a stream; its client loses nothing.

Both are private servers of the test, killed with SIGKILL.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing
from typing import TYPE_CHECKING, Self

import pytest

from harness.model import Text, Usage
from harness.protocols.message import Message
from harness.streaming.serving import BackgroundRuns, StreamingService, StreamRequest
from harness.streaming.serving.background import EventStore, Settings
from harness.streaming.serving.client_events import client_event_violations
from harness.streaming.serving.runs.lock import make_lock
from harness.streaming.serving.runs.store import make_runs
from harness.streaming.tracing.configuration import make_backends
from harness.streaming.tracing.manager import TraceManager
from tests.streaming.serving.service_env import MEMORY, Received

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.streaming.serving.runs.store import DatabaseRuns
    from tests.streaming.databases.private import PrivatePostgres
    from tests.streaming.serving.background.stored_runs import PrivateRedis
    from tests.streaming.serving.sdk_agent import SdkAgent

WORDS = [f"word{number} " for number in range(40)]
LONG = Message((Text(text="".join(WORDS)),), usage=Usage(input=9, output=40, total=49))
PACE_S = 0.005  # between two chunks of the provider, so that a kill falls between them


class ServiceStack:
    """A service with its background runs, databases and traces, named by DSN and URL."""

    def __init__(self, sdk_agent: SdkAgent, dsn: str, redis_url: str | None) -> None:
        self.sdk_agent, self.dsn, self.redis_url = sdk_agent, dsn, redis_url
        self._stack = AsyncExitStack()
        self.runs: DatabaseRuns = make_runs(dsn)

    async def __aenter__(self) -> Self:
        locks, traces = make_lock(self.dsn), TraceManager(make_backends(self.dsn))
        for opened in (self.runs, locks, traces):
            self._stack.push_async_callback(opened.aclose)
        self.sdk_agent.traces = traces
        self.service = StreamingService(
            agent=self.sdk_agent.run, runs=self.runs, conversations=locks.acquire
        )
        if self.redis_url is not None:
            settings = Settings(url=self.redis_url, batch_age=0.002)
            self.event_store = await self._stack.enter_async_context(EventStore(settings))
            self.stored_runs = await self._stack.enter_async_context(
                BackgroundRuns(self.service, self.event_store)
            )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()


async def read(stack: ServiceStack, run_id: str, at: int, action: Callable[[], object]) -> Received:
    """Read a run as its client, and call something after the k-th event."""
    service = stack.service if stack.redis_url is None else stack.stored_runs
    _, frames = await service.stream(StreamRequest("agent", "conversation", run_id))
    received = Received(run_id)
    async with aclosing(frames):
        async for frame in frames:
            received.sent.append(frame)
            if len(received.sent) == at:
                action()
    return received


def violations(received: Received) -> list[str]:
    """Return what is wrong with the events that a client received."""
    found = [sentence for _, _, sentence in client_event_violations(received.events)]
    bodies = [event.body for event in received.events if isinstance(event.body, dict)]
    texts = [str(body["content"]) for body in bodies if "content" in body]
    numbers = [event.seq_id for event in received.events][:-1]
    found += [] if "".join(texts) == "".join(WORDS) else ["text is lost"]
    found += [] if numbers == list(range(1, len(numbers) + 1)) else ["numbers are lost"]
    return found + ([] if received.reason == "end_turn" else [f"it ended by {received.reason}"])


@pytest.fixture
def sdk_agent(sdk_agent: SdkAgent) -> SdkAgent:
    sdk_agent.respond("openai", LONG, pace=PACE_S)
    return sdk_agent


@pytest.mark.parametrize("at", [1, 20, 40])
async def test_redis_is_killed(
    sdk_agent: SdkAgent, private_redis: PrivateRedis, caplog: pytest.LogCaptureFixture, at: int
) -> None:
    async with ServiceStack(sdk_agent, MEMORY, private_redis.url) as stack:
        received = await read(stack, "run", at, private_redis.kill)
        run = await stack.runs.get("run")
    assert violations(received) == []
    assert run is not None
    assert (run.status, run.stop_reason) == ("completed", "end_turn")
    assert "run 'run' is not stored any more: Redis failed" in caplog.text


async def test_postgresql_is_killed(
    sdk_agent: SdkAgent, private_postgres: PrivatePostgres, caplog: pytest.LogCaptureFixture
) -> None:
    async with asyncio.timeout(30), ServiceStack(sdk_agent, private_postgres.dsn, None) as stack:
        before = await read(stack, "before", 0, private_postgres.kill)
        stored = await stack.runs.get("before")
        received = await read(stack, "run", 20, private_postgres.kill)
    assert (violations(before), violations(received)) == ([], [])
    assert stored is not None
    assert stored.status == "completed"
    assert "run run ended as end_turn, which could not be stored" in caplog.text
    assert "the lease on conversation 'conversation' was not released" in caplog.text
    assert (
        f"postgresql://127.0.0.1:{private_postgres.port}/postgres: OperationalError" in caplog.text
    )  # its trace
    assert "before ended as" not in caplog.text


async def test_both_are_killed(
    sdk_agent: SdkAgent, private_postgres: PrivatePostgres, private_redis: PrivateRedis
) -> None:
    def kill() -> None:
        private_redis.kill()
        private_postgres.kill()

    async with (
        asyncio.timeout(30),
        ServiceStack(sdk_agent, private_postgres.dsn, private_redis.url) as stack,
    ):
        received = await read(stack, "run", 20, kill)
    assert violations(received) == []
