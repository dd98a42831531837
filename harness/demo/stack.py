"""Everything that the demonstration needs, opened in order and closed in reverse.

Rule of this file: nothing is opened anywhere else, and everything opened is closed on every path.
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
from harness.streaming.serving.background import BackgroundError, EventStore, RedisUnavailableError
from harness.streaming.serving.background import Settings as RedisSettings
from harness.streaming.serving.runs.lock import make_lock
from harness.streaming.serving.runs.store import make_runs
from harness.streaming.tracing.configuration import make_backends
from harness.streaming.tracing.manager import TraceManager

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from pathlib import Path

    from harness.streaming.serving.runs.store import Run, RunStore

TRACE_BOUND_S = 30.0  # no run waits for its traces


@dataclass(frozen=True)
class Settings:
    """The settings of a demonstration.

    Args:
        scenarios: the folder of scenarios.
        runs: the DSN of the database of runs.
        locks: the DSN of the database of conversation locks.
        traces: the DSNs of the trace backends, separated by commas.
        redis: the URL of the Redis that stores client events, None for none.
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
    """What the endpoints use; ``stored_runs`` is None if there is no Redis."""

    models: Models
    agent: Agent
    runs: RunStore
    traces: TraceManager
    service: StreamingService
    stored_runs: BackgroundRuns | None

    async def stream(
        self, request: StreamRequest
    ) -> tuple[Run | None, AsyncGenerator[bytes, None]]:
        """Create a run and stream it to its client; its events are stored if there is a Redis."""
        return await (self.stored_runs or self.service).stream(request)

    async def cancel(self, run: Run) -> Run:
        """Cancel a run, in whatever process it is running, and return it as it is stored.

        A run that no process is running is ended in the store.
        """
        if run.terminal or self.service.registry.fire(run.id):
            return run
        if self.stored_runs is not None:
            with suppress(BackgroundError):  # the store is written, too
                await self.stored_runs.cancel(run.id)
        return await self.runs.finish(run.id, "cancelled")

    @property
    def background(self) -> BackgroundRuns:
        """The runs without a client.

        Raises:
            RedisUnavailableError: no Redis was named; the message says how to start one.
        """
        if self.stored_runs is None:
            raise RedisUnavailableError(
                "background runs need Redis: start one with `redis-server --port 6379`, then run "
                "`harness demo --redis redis://127.0.0.1:6379/0`"
            )
        return self.stored_runs


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Stack]:
    """Open everything while the block runs.

    Raises:
        InputError: a DSN or URL is not valid, or a package that it needs is not installed.
    """
    responses = ResponseRegistry()
    models = Models(responses, settings.scenarios)
    async with AsyncExitStack() as resources:
        provider = await resources.enter_async_context(LoopbackServer(responses))
        clients = SdkClients(connections=None)
        traces = TraceManager(make_backends(settings.traces), bound=TRACE_BOUND_S)
        agent = Agent(models, clients, provider.base_url, traces)
        runs, locks = make_runs(settings.runs), make_lock(settings.locks)
        for resource in (clients, traces, agent, locks, runs):
            resources.push_async_callback(resource.aclose)

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
        stored_runs = await _stored_runs(resources, service, settings.redis)
        await agent.warm_up()
        yield Stack(models, agent, runs, traces, service, stored_runs)


async def _stored_runs(
    resources: AsyncExitStack, service: StreamingService, redis: str | None
) -> BackgroundRuns | None:
    if redis is None:
        return None
    event_store = await resources.enter_async_context(EventStore(RedisSettings(url=redis)))
    return await resources.enter_async_context(BackgroundRuns(service, event_store))
