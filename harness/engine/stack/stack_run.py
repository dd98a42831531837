"""One run, left somewhere, and all that is seen of it.

Rule of this file: a run is looked at in the step in which its client is done, before anybody else
may go on; then its loop is closed, and the next run begins anew.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from harness.checks.runs import SeenRun
from harness.engine.leaks import came_out, find_leaks
from harness.engine.stack.agent import Asking, WatchedAgent
from harness.engine.stack.client import INTERRUPTIONS, Client
from harness.errors import ConversationBusyError
from harness.simulation.loop import new_loop, run
from harness.streaming.serving import StreamRequest
from harness.streaming.serving.runs.lock import ConversationLock

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncGenerator

    from harness.playback.response_registry import ResponseRegistry
    from harness.sdks.clients import SdkClients
    from harness.streaming.databases.database import Database
    from harness.streaming.serving.runs.store import DatabaseRuns, Run
    from harness.targets.layers import Layers

AGAIN = 4  # cancellations, one a step, of a client that is cancelled again and again


class Abort(NamedTuple):
    """How a run is left: a way of ``client``, and the step or the number of frames where."""

    way: str
    at: int

    def __str__(self) -> str:
        place = "step" if self.way in INTERRUPTIONS else "frame"
        return f"{self.way} at {place} {self.at}"


class Parts(NamedTuple):
    """What outlives a run."""

    layers: Layers
    asking: Asking
    keepalive_s: float | None
    stage: ResponseRegistry
    clients: SdkClients
    runs: DatabaseRuns
    locks: Database


class Moment(NamedTuple):
    """How things stood when a run was left: frames heard, bytes sent, and when it was."""

    heard: int
    sent: int
    at_s: float


class StackRun:
    """One run, from its first step to its last.

    Args:
        parts: what it is made with.
        leave: how and where its client leaves.
        run_id: its id, and that of its conversation.
        alarms: what is logged meanwhile.
    """

    def __init__(self, parts: Parts, leave: Abort | None, run_id: str, alarms: list[str]) -> None:
        self._parts, self._leave, self._run_id, self._alarms = parts, leave, run_id, alarms
        self._loop = new_loop()
        self._agent = WatchedAgent(parts.asking, parts.layers, parts.stage, parts.clients)
        self._registry = parts.layers.registry()
        self._client = Client(self._stream, self._agent.sent)
        self._left: Moment | None = None

    @property
    def steps(self) -> int:
        """The steps it took."""
        return self._loop.schedule.steps

    def seen(self) -> SeenRun:
        """Run it, and look at what is there when its client is done."""
        try:
            seen = self._look(self._run())
        finally:
            self._loop.close()
            self._agent.forget()
        return replace(seen, alarms=(*self._alarms, *self._loop.complaints))

    def _run(self) -> asyncio.Task[None]:
        """Return the client's task, as far as it came."""
        leave = self._leave
        if leave is None or leave.way in INTERRUPTIONS:
            task = self._loop.create_task(self._client.read())
        else:
            task = self._loop.create_task(self._client.depart(*leave, self._note))
        if leave is not None and leave.way in INTERRUPTIONS:
            for again in range(AGAIN if leave.way == "cancel again" else 1):
                self._loop.schedule.at(leave.at + again, lambda: self._interrupt(leave.way, task))
        self._loop.drive(task)
        if leave is not None and leave.way == "break":
            self._loop.settle(0)  # dropped frames are closed by the loop
        return task

    def _interrupt(self, way: str, task: asyncio.Task[None]) -> None:
        if way == "timeout":
            with suppress(RuntimeError):  # the client has just come to its end
                self._client.deadline.reschedule(self._loop.time())
                self._loop.call_soon(self._note)  # the deadline takes effect in a step of its own
        elif self._registry.fire(self._run_id) if way == "fire" else task.cancel():
            self._note()

    def _note(self) -> None:
        if self._left is None:
            self._left = self._now()

    def _now(self) -> Moment:
        return Moment(len(self._client.heard), self._agent.sent(), self._loop.time())

    def _look(self, task: asyncio.Task[None]) -> SeenRun:
        way = None if self._leave is None else self._leave.way
        if way == "timeout" and not self._client.deadline.expired():
            self._left = None  # the end was faster
        wanted = INTERRUPTIONS.get(way or "") if self._left else None
        moment = self._left or self._now()
        done, ended_s = task.done(), self._loop.time()
        stored, held = run(self._kept())
        return SeenRun(
            heard=tuple(self._client.heard),
            arrived=tuple(self._client.arrived),
            before=moment.heard,
            left=self._left is not None,
            gone=self._left is not None and way != "fire",
            sent=moment.sent,
            at_s=moment.at_s,
            took_s=ended_s - moment.at_s if done else None,
            came_out=self._client.came_out or (came_out(task, wanted) if done else None),
            steps=self._agent.steps(),
            remembered=len(self._registry),
            remains=find_leaks(self._loop.tasks() - {task}, self._loop.generators),
            stored=stored,
            held=held,
        )

    async def _stream(self) -> AsyncGenerator[bytes, None]:
        service = self._parts.layers.service(
            agent=self._agent,
            runs=self._parts.runs,
            registry=self._registry,
            conversations=self._locks().acquire,
            keepalive_s=self._parts.keepalive_s,
        )
        request = StreamRequest("agent", conversation=self._run_id, run_id=self._run_id)
        _, frames = await service.stream(request)
        return frames

    async def _kept(self) -> tuple[Run | None, bool]:
        """Return the run as it is stored, and whether its conversation is held."""
        stored = await self._parts.runs.get(self._run_id)
        try:
            async with self._locks().acquire(self._run_id):
                return stored, False
        except ConversationBusyError:
            return stored, True

    def _locks(self) -> ConversationLock:
        return ConversationLock(self._parts.locks, clock=self._loop.time)
