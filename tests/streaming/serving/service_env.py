"""A service over real databases with a watched provider, and what must hold after every run."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, TypeAlias

from harness.errors import ConversationBusyError
from harness.model import Chunk
from harness.streaming.cancellation import CancellationRegistry
from harness.streaming.databases.database import open_database
from harness.streaming.serving import AgentChunk, StreamingService, StreamRequest
from harness.streaming.serving.client_events import (
    ClientEvent,
    ClientEventReader,
    client_event_violations,
)
from harness.streaming.serving.runs.lock import SCHEMA, ConversationLock
from harness.streaming.serving.runs.statuses import StopReason, status_of
from harness.streaming.serving.runs.store import DatabaseRuns, make_runs

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable

    from harness.streaming.serving import Agent, AgentRequest

MEMORY = "sqlite:///:memory:"  # no disk to wait for, thousands of times
CONVERSATION = "conv_1"
SILENCE = object()
SILENCE_S = 0.001  # of silence, then the run is cancelled
Item: TypeAlias = "AgentChunk | StopReason | Exception | object"


def text(content: str) -> AgentChunk:
    return AgentChunk(Chunk("text", content, 0), "m", "s")


class ScriptedProvider:
    """Yields a script, one item per turn of the event loop, and records who opens and closes it."""

    def __init__(self) -> None:
        self.open = 0
        self.yielded = 0
        self.faults: list[str] = []

    async def stream(
        self, script: Iterable[Item], on_silence: Callable[[], None]
    ) -> AsyncGenerator[Any, None]:
        reader, self.open = asyncio.current_task(), self.open + 1
        try:
            for item in script:
                await asyncio.sleep(0)
                if item is SILENCE:
                    asyncio.get_running_loop().call_later(SILENCE_S, on_silence)
                    await asyncio.Event().wait()
                if isinstance(item, Exception):
                    raise item
                self.yielded += 1
                yield item
        finally:
            self.open -= 1
            if asyncio.current_task() is not reader:
                self.faults.append("the provider's stream was closed by another task")


@dataclass
class Received:
    """What a client received, and whether it disconnected before the end.

    Frames that were ``dropped`` and not closed are closed by the event loop, in a task of its own.
    """

    run_id: str
    sent: list[bytes] = field(default_factory=list)
    aborted: bool = False
    dropped: bool = False

    async def read(self, frames: AsyncIterator[bytes]) -> None:
        async for frame in frames:
            self.sent.append(frame)

    @property
    def events(self) -> list[ClientEvent]:
        reader = ClientEventReader()
        return [event for frame in self.sent for event in reader.feed(frame)]

    @property
    def labels(self) -> list[str]:
        return [event.label for event in self.events]

    def body(self, label: str) -> dict[str, Any]:
        [body] = [event.body for event in self.events if event.label == label]
        assert isinstance(body, dict)
        return body

    @property
    def reason(self) -> StopReason | None:
        """The stop reason that the client received."""
        return self.body("stop_reason")["stop_reason"] if "stop_reason" in self.labels else None


class ServiceEnv:
    """Everything a service needs; ``other`` is the lock of another process.

    Args:
        dsn: the database of runs and locks.
    """

    def __init__(self, dsn: str = MEMORY) -> None:
        self.runs: DatabaseRuns = make_runs(dsn)
        self._lock_database = open_database(dsn, SCHEMA)
        self.locks = ConversationLock(self._lock_database)
        self.other = ConversationLock(self._lock_database)
        self.registry = CancellationRegistry()
        self.provider = ScriptedProvider()
        self._numbers = count(1)

    def agent(self, script: Iterable[Item]) -> Agent:
        items = list(script)

        async def loop(work: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
            async with aclosing(self.provider.stream(items, work.cancel.fire)) as stream:
                async for item in stream:
                    yield item

        return loop

    def scripted(self, script: Iterable[Item], **more: Any) -> StreamingService:
        """Return a service whose agent yields a script."""
        return self.service(self.agent(script), **more)

    def service(
        self, agent: Agent, make: Callable[..., StreamingService] = StreamingService, **more: Any
    ) -> StreamingService:
        parts = {"runs": self.runs, "registry": self.registry, "conversations": self.locks.acquire}
        return make(agent=agent, **{**parts, **more})

    def request(self, **more: Any) -> StreamRequest:
        fields = {"conversation": CONVERSATION, "run_id": f"run-{next(self._numbers)}", **more}
        return StreamRequest(agent_id="agent", **fields)

    async def read(self, service: StreamingService, **more: Any) -> Received:
        """Read a run to its end."""
        request = self.request(**more)
        received = Received(request.run_id or "")
        _, frames = await service.stream(request)
        await received.read(frames)
        return received

    async def violations(self, received: Received, allowed: Iterable[StopReason]) -> list[str]:
        """Return what does not hold after a run.

        Args:
            received: what its client received.
            allowed: the stop reasons it may have ended with.
        """
        found = [] if await all_tasks_done() else ["tasks are left"]
        for event, _, sentence in client_event_violations(received.events):
            if not (received.aborted and event == -1):
                found.append(f"events: {sentence}")
        found += await self._run_violations(received, set(allowed))
        found += [] if received.dropped else self.provider.faults
        if self.provider.open:
            found.append("the provider's stream is open")
        if len(self.registry):
            found.append("the registry still has the run")
        try:
            async with self.other.acquire(CONVERSATION):
                pass
        except ConversationBusyError:
            found.append("the conversation is held")
        return found

    async def _run_violations(self, received: Received, allowed: set[StopReason]) -> list[str]:
        run = await self.runs.get(received.run_id)
        if run is None:
            return [] if received.aborted and not received.sent else ["there is no run"]
        if not run.terminal or run.stop_reason is None:
            return [f"the run is {run.status}"]
        reason = received.reason
        if reason is not None and reason != run.stop_reason:
            return [f"the client received {reason}, the run has {run.stop_reason}"]
        if run.stop_reason not in allowed or run.status != status_of(run.stop_reason):
            return [f"the run is {run.status} by {run.stop_reason}"]
        later = await self.runs.finish(run.id, "max_steps", {"late": True})
        return [] if later == run else ["the run is not final"]

    async def aclose(self) -> None:
        await self.runs.aclose()
        await self._lock_database.aclose()


async def all_tasks_done() -> bool:
    """Wait for clean-up that was left to the event loop; return whether it is done."""
    for _ in range(300):
        if asyncio.all_tasks() == {asyncio.current_task()}:
            return True
        await asyncio.sleep(0.001)
    return False
