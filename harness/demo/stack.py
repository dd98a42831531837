"""Everything the demonstration runs on, opened in the order it is needed and closed in reverse.

Rule of this file: nothing is opened anywhere else, and what was opened is closed whoever failed.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.demo.agent import Agent
from harness.demo.models import Models
from harness.playback.response_registry import ResponseRegistry
from harness.playback.server import LoopbackServer
from harness.sdks.clients import SdkClients
from harness.streaming.serving import (
    BackgroundRuns,
    PendingApprovalError,
    StreamingService,
    StreamRequest,
)
from harness.streaming.serving.background import Background, BackgroundError, RedisUnavailableError
from harness.streaming.serving.background import Settings as RedisSettings
from harness.streaming.serving.runs.lock import make_lock
from harness.streaming.serving.runs.store import make_runs
from harness.streaming.tracing.configuration import make_backends
from harness.streaming.tracing.manager import TraceManager

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from pathlib import Path

    from harness.streaming.serving.runs.store import Run, RunStore

TRACE_BOUND_S = 30.0  # no run waits for its traces, so they may take their time


@dataclass(frozen=True)
class Settings:
    """What a demonstration is opened with.

    Args:
        scenarios: the folder of scenarios.
        runs: DSN of the database runs are kept in.
        locks: DSN of the one that says who is at work on a conversation.
        traces: DSNs of the places traces go to, separated by commas.
        redis: where frames are kept, None for nowhere.
        keepalive_s: seconds of silence after which a ping is sent.
    """

    scenarios: Path
    runs: str
    locks: str
    traces: str
    redis: str | None
    keepalive_s: float


@dataclass(frozen=True)
class Stack:
    """What the endpoints work with; ``kept`` is None where there is no Redis to keep frames in."""

    models: Models
    agent: Agent
    runs: RunStore
    traces: TraceManager
    service: StreamingService
    kept: BackgroundRuns | None

    async def stream(
        self, request: StreamRequest
    ) -> tuple[Run | None, AsyncGenerator[bytes, None]]:
        """Create a run with a client of its own; its frames are kept, too, where they can be."""
        return await (self.kept or self.service).stream(request)

    async def cancel(self, run: Run) -> Run:
        """End a run, in whatever process it goes on, and return it as it stands.

        One that goes on nowhere is ended where it is kept.
        """
        if run.terminal or self.service.registry.fire(run.id):
            return run
        if self.kept is not None:
            with suppress(BackgroundError):  # the store says so, too
                await self.kept.cancel(run.id)
        return await self.runs.finish(run.id, "cancelled")

    @property
    def background(self) -> BackgroundRuns:
        """The runs without a client.

        Raises:
            RedisUnavailableError: no Redis was named; says how to start one.
        """
        if self.kept is None:
            raise RedisUnavailableError(
                "runs in the background need Redis: start one with `redis-server --port 6379`, and "
                "this with `harness demo --redis redis://127.0.0.1:6379/0`"
            )
        return self.kept


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Stack]:
    """Open everything while the block runs.

    Raises:
        InputError: a DSN or URL is at fault, or what it needs is not installed.
    """
    stage = ResponseRegistry()
    models = Models(stage, settings.scenarios)
    async with AsyncExitStack() as held:
        provider = await held.enter_async_context(LoopbackServer(stage))
        clients = SdkClients(connections=None)
        traces = TraceManager(make_backends(settings.traces), bound=TRACE_BOUND_S)
        agent = Agent(models, clients, provider.base_url, traces)
        runs, locks = make_runs(settings.runs), make_lock(settings.locks)
        for owned in (clients, traces, agent, locks, runs):
            held.push_async_callback(owned.aclose)

        async def admit(request: StreamRequest) -> None:
            if request.conversation in agent.pending:
                raise PendingApprovalError

        service = StreamingService(
            agent=agent.run,
            runs=runs,
            conversations=locks.acquire,
            admit=admit,
            keepalive_s=settings.keepalive_s,
        )
        kept = await _keeping(held, service, settings.redis)
        await agent.rehearse()
        yield Stack(models, agent, runs, traces, service, kept)


async def _keeping(
    held: AsyncExitStack, service: StreamingService, redis: str | None
) -> BackgroundRuns | None:
    if redis is None:
        return None
    background = await held.enter_async_context(Background(RedisSettings(url=redis)))
    return await held.enter_async_context(BackgroundRuns(service, background))
