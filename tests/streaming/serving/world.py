"""A service over real databases whose provider is watched, and what must hold after every run."""

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
SILENCE_S = 0.001  # after which somebody cancels the run
Item: TypeAlias = "AgentChunk | StopReason | Exception | object"


def text(words: str) -> AgentChunk:
    return AgentChunk(Chunk("text", words, 0), "m", "s")


class Provider:
    """Speaks by a script, one turn of the loop an item; knows who opened and who closed it."""

    def __init__(self) -> None:
        self.open = 0
        self.spoken = 0
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
                self.spoken += 1
                yield item
        finally:
            self.open -= 1
            if asyncio.current_task() is not reader:
                self.faults.append("the provider's stream was closed by another task")


@dataclass
class Heard:
    """What a client got: the pieces, and whether it left before the end.

    Frames that were ``dropped`` and not closed are closed by the event loop, in a task of its own.
    """

    run_id: str
    sent: list[bytes] = field(default_factory=list)
    left: bool = False
    dropped: bool = False

    async def read(self, frames: AsyncIterator[bytes]) -> None:
        async for piece in frames:
            self.sent.append(piece)

    @property
    def frames(self) -> list[ClientEvent]:
        reader = ClientEventReader()
        return [frame for piece in self.sent for frame in reader.feed(piece)]

    @property
    def labels(self) -> list[str]:
        return [frame.label for frame in self.frames]

    def body(self, label: str) -> dict[str, Any]:
        [found] = [frame.body for frame in self.frames if frame.label == label]
        assert isinstance(found, dict)
        return found

    @property
    def reason(self) -> StopReason | None:
        """The stop reason the client was told."""
        return self.body("stop_reason")["stop_reason"] if "stop_reason" in self.labels else None


class World:
    """Everything one service needs; ``other`` is somebody else's lock.

    Args:
        dsn: the database of runs and locks.
    """

    def __init__(self, dsn: str = MEMORY) -> None:
        self.runs: DatabaseRuns = make_runs(dsn)
        self._held = open_database(dsn, SCHEMA)
        self.locks = ConversationLock(self._held)
        self.other = ConversationLock(self._held)
        self.registry = CancellationRegistry()
        self.provider = Provider()
        self._numbers = count(1)

    def agent(self, script: Iterable[Item]) -> Agent:
        items = list(script)

        async def loop(work: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
            async with aclosing(self.provider.stream(items, work.cancel.fire)) as stream:
                async for item in stream:
                    yield item

        return loop

    def service(self, script: Iterable[Item], **more: Any) -> StreamingService:
        return self.serving(self.agent(script), **more)

    def serving(
        self, agent: Agent, made: Callable[..., StreamingService] = StreamingService, **more: Any
    ) -> StreamingService:
        parts = {"runs": self.runs, "registry": self.registry, "conversations": self.locks.held}
        return made(agent=agent, **{**parts, **more})

    def request(self, **more: Any) -> StreamRequest:
        asked = {"conversation": CONVERSATION, "run_id": f"run-{next(self._numbers)}", **more}
        return StreamRequest(agent_id="agent", **asked)

    async def read(self, service: StreamingService, **more: Any) -> Heard:
        """Read a run to its end."""
        request = self.request(**more)
        heard = Heard(request.run_id or "")
        _, frames = await service.stream(request)
        await heard.read(frames)
        return heard

    async def complaints(self, heard: Heard, allowed: Iterable[StopReason]) -> list[str]:
        """Return what does not hold after a run.

        Args:
            heard: what its client got.
            allowed: the stop reasons it may have ended with.
        """
        found = [] if await quiet() else ["tasks are left"]
        cut = heard.left
        for event, _, sentence in client_event_violations(heard.frames):
            if not (cut and event == -1):
                found.append(f"frames: {sentence}")
        found += await self._about_run(heard, set(allowed))
        found += [] if heard.dropped else self.provider.faults
        if self.provider.open:
            found.append("the provider's stream is open")
        if len(self.registry):
            found.append("the registry remembers the run")
        try:
            async with self.other.held(CONVERSATION):
                pass
        except ConversationBusyError:
            found.append("the conversation is held")
        return found

    async def _about_run(self, heard: Heard, allowed: set[StopReason]) -> list[str]:
        run = await self.runs.get(heard.run_id)
        if run is None:
            return [] if heard.left and not heard.sent else ["there is no run"]
        if not run.terminal or run.stop_reason is None:
            return [f"the run is {run.status}"]
        told = heard.reason
        if told is not None and told != run.stop_reason:
            return [f"the client was told {told}, the run says {run.stop_reason}"]
        if run.stop_reason not in allowed or run.status != status_of(run.stop_reason):
            return [f"the run is {run.status} by {run.stop_reason}"]
        later = await self.runs.finish(run.id, "max_steps", {"late": True})
        return [] if later == run else ["the run is not final"]

    async def aclose(self) -> None:
        await self.runs.aclose()
        await self._held.aclose()


async def quiet() -> bool:
    """Let clean-up that was left to the event loop end; tell whether it did."""
    for _ in range(300):
        if asyncio.all_tasks() == {asyncio.current_task()}:
            return True
        await asyncio.sleep(0.001)
    return False
