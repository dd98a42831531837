"""Redis and PostgreSQL are killed in the middle of a stream: its client loses nothing.

Both are servers of the test's own; they are killed as a power cut would, with SIGKILL.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing
from typing import TYPE_CHECKING, Self

import pytest

from harness.model import Text, Usage
from harness.protocols.message import Message
from harness.streaming.serving import BackgroundRuns, StreamingService, StreamRequest
from harness.streaming.serving.background import Background, Settings
from harness.streaming.serving.client_events import client_event_violations
from harness.streaming.serving.runs.lock import make_lock
from harness.streaming.serving.runs.store import make_runs
from harness.streaming.tracing.configuration import make_backends
from harness.streaming.tracing.manager import TraceManager
from tests.streaming.serving.world import MEMORY, Heard

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.streaming.serving.runs.store import DatabaseRuns
    from tests.streaming.databases.private import PrivatePostgres
    from tests.streaming.serving.background.runs import PrivateRedis
    from tests.streaming.serving.providers import Providers

WORDS = [f"word{number} " for number in range(40)]
LONG = Message((Text(text="".join(WORDS)),), usage=Usage(input=9, output=40, total=49))
PACE_S = 0.005  # between two chunks of the provider, so that a kill falls between them


class Stack:
    """The whole service as a product runs it; everything kept by DSN and URL."""

    def __init__(self, providers: Providers, dsn: str, redis_url: str | None) -> None:
        self.providers, self.dsn, self.redis_url = providers, dsn, redis_url
        self.held = AsyncExitStack()
        self.runs: DatabaseRuns = make_runs(dsn)

    async def __aenter__(self) -> Self:
        locks, traces = make_lock(self.dsn), TraceManager(make_backends(self.dsn))
        for opened in (self.runs, locks, traces):
            self.held.push_async_callback(opened.aclose)
        self.providers.traces = traces
        self.service = StreamingService(
            agent=self.providers.agent, runs=self.runs, conversations=locks.held
        )
        if self.redis_url is not None:
            settings = Settings(url=self.redis_url, batch_age=0.002)
            self.background = await self.held.enter_async_context(Background(settings))
            self.kept = await self.held.enter_async_context(
                BackgroundRuns(self.service, self.background)
            )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.held.aclose()


async def read(stack: Stack, run_id: str, at: int, deed: Callable[[], object]) -> Heard:
    """Read a run as its client, and do something behind a message of that number."""
    served = stack.service if stack.redis_url is None else stack.kept
    _, frames = await served.stream(StreamRequest("agent", "conversation", run_id))
    heard = Heard(run_id)
    async with aclosing(frames):
        async for piece in frames:
            heard.sent.append(piece)
            if len(heard.sent) == at:
                deed()
    return heard


def complaints(heard: Heard) -> list[str]:
    """Return what a client lost."""
    found = [sentence for _, _, sentence in client_event_violations(heard.frames)]
    bodies = [frame.body for frame in heard.frames if isinstance(frame.body, dict)]
    words = [str(body["content"]) for body in bodies if "content" in body]
    numbers = [frame.seq_id for frame in heard.frames][:-1]
    found += [] if "".join(words) == "".join(WORDS) else ["words are lost"]
    found += [] if numbers == list(range(1, len(numbers) + 1)) else ["numbers are lost"]
    return found + ([] if heard.reason == "end_turn" else [f"it ended by {heard.reason}"])


@pytest.fixture
def providers(providers: Providers) -> Providers:
    providers.say("openai", LONG, pace=PACE_S)
    return providers


@pytest.mark.parametrize("at", [1, 20, 40])
async def test_redis_is_killed(
    providers: Providers, private: PrivateRedis, caplog: pytest.LogCaptureFixture, at: int
) -> None:
    async with Stack(providers, MEMORY, private.url) as stack:
        heard = await read(stack, "run", at, private.kill)
        run = await stack.runs.get("run")
    assert complaints(heard) == []
    assert run is not None
    assert (run.status, run.stop_reason) == ("completed", "end_turn")
    assert "run 'run' is not kept any more: Redis failed" in caplog.text


async def test_postgresql_is_killed(
    providers: Providers, private_postgres: PrivatePostgres, caplog: pytest.LogCaptureFixture
) -> None:
    async with asyncio.timeout(30), Stack(providers, private_postgres.dsn, None) as stack:
        before = await read(stack, "before", 0, private_postgres.kill)
        kept = await stack.runs.get("before")
        heard = await read(stack, "run", 20, private_postgres.kill)
    assert (complaints(before), complaints(heard)) == ([], [])
    assert kept is not None
    assert kept.status == "completed"
    assert "run run ended as end_turn, which could not be kept" in caplog.text
    assert "conversation 'conversation' runs out by its ttl" in caplog.text
    assert (
        f"postgresql://127.0.0.1:{private_postgres.port}/postgres: OperationalError" in caplog.text
    )  # its trace
    assert "before ended as" not in caplog.text


async def test_both_are_killed(
    providers: Providers, private_postgres: PrivatePostgres, private: PrivateRedis
) -> None:
    def kill() -> None:
        private.kill()
        private_postgres.kill()

    async with asyncio.timeout(30), Stack(providers, private_postgres.dsn, private.url) as stack:
        heard = await read(stack, "run", 20, kill)
    assert complaints(heard) == []
