"""One run through the full stack, aborted somewhere, and what is observed of it.

Rule of this file: a run is observed in the step in which its client is done, before any other task
may go on; then its event loop is closed, and the next run begins with a new one.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from harness.aborting.full_stack.agent import AgentPlan, WatchedAgent
from harness.aborting.full_stack.client import INTERRUPTIONS, Client
from harness.aborting.leaks import find_leaks, wrong_exception
from harness.aborting.seen_run import RunSeen
from harness.errors import ConversationBusyError
from harness.simulation.loop import new_loop, run
from harness.streaming.serving import StreamRequest
from harness.streaming.serving.runs.lock import ConversationLock

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncGenerator, Iterator

    from harness.playback.response_registry import ResponseRegistry
    from harness.sdks.clients import SdkClients
    from harness.streaming.databases.database import Database
    from harness.streaming.serving.runs.store import DatabaseRuns, Run
    from harness.targets.layers import Layers

REPEATED = 4  # cancellations, one at each step, of a client that is cancelled again and again


class Abort(NamedTuple):
    """How a run is aborted: a way of client.py, and the step or the number of events where."""

    way: str
    at: int

    def __str__(self) -> str:
        place = "step" if self.way in INTERRUPTIONS else "event"
        return f"{self.way} at {place} {self.at}"


class Parts(NamedTuple):
    """What outlives a run."""

    layers: Layers
    plan: AgentPlan
    keepalive_s: float | None
    responses: ResponseRegistry
    clients: SdkClients
    runs: DatabaseRuns
    locks: Database


class _Moment(NamedTuple):
    """The state at the abort: events received, bytes sent, and the virtual time."""

    received: int
    sent: int
    at_s: float


class StackRun:
    """One run, from its first step to its last.

    Args:
        parts: what it is made of.
        abort: how and where it is aborted, None for a client that reads to the end.
        run_id: its id, and that of its conversation.
        warnings: what is logged meanwhile.
    """

    def __init__(self, parts: Parts, abort: Abort | None, run_id: str, warnings: list[str]) -> None:
        self._parts, self._abort = parts, abort
        self._run_id, self._warnings = run_id, warnings
        self._loop = new_loop()
        self._agent = WatchedAgent(parts.plan, parts.layers, parts.responses, parts.clients)
        self._registry = parts.layers.registry()
        self._client = Client(self._stream, self._agent.bytes_sent)
        self._aborted: _Moment | None = None

    @property
    def steps(self) -> int:
        """The steps the event loop took."""
        return self._loop.schedule.steps

    def seen(self) -> RunSeen:
        """Run it, and return what is observed when its client is done."""
        try:
            seen = self._observe(self._run())
        finally:
            self._loop.close()
            self._agent.forget()
        return replace(seen, warnings=(*self._warnings, *self._loop.complaints))

    def _run(self) -> asyncio.Task[None]:
        """Return the client's task, as far as it came."""
        abort = self._abort
        if abort is None or abort.way in INTERRUPTIONS:
            task = self._loop.create_task(self._client.read())
        else:
            task = self._loop.create_task(self._client.disconnect(*abort, self._note))
        if abort is not None and abort.way in INTERRUPTIONS:
            for again in range(REPEATED if abort.way == "cancel again" else 1):
                self._loop.schedule.at(abort.at + again, lambda: self._interrupt(abort.way, task))
        self._loop.drive(task)
        if abort is not None and abort.way == "break":
            self._loop.settle(0)  # a dropped generator is closed by the loop
        return task

    def _interrupt(self, way: str, task: asyncio.Task[None]) -> None:
        if way == "timeout":
            with suppress(RuntimeError):  # the client has just come to its end
                self._client.deadline.reschedule(self._loop.time())
                self._loop.call_soon(self._note)  # the deadline takes effect in a step of its own
        elif self._registry.fire(self._run_id) if way == "fire" else task.cancel():
            self._note()

    def _note(self) -> None:
        if self._aborted is None:
            self._aborted = self._now()

    def _now(self) -> _Moment:
        return _Moment(len(self._client.events), self._agent.bytes_sent(), self._loop.time())

    def _observe(self, task: asyncio.Task[None]) -> RunSeen:
        way = None if self._abort is None else self._abort.way
        if way == "timeout" and not self._client.deadline.expired():
            self._aborted = None  # the end was faster
        wanted = INTERRUPTIONS.get(way or "") if self._aborted else None
        moment = self._aborted or self._now()
        done, ended_s = task.done(), self._loop.time()
        stored, locked = run(self._stored())
        suppressed = self._client.suppressed or (wrong_exception(task, wanted) if done else None)
        return RunSeen(
            events=tuple(self._client.events),
            sent_at=tuple(self._client.sent_at),
            before=moment.received,
            aborted=self._aborted is not None,
            disconnected=self._aborted is not None and way != "fire",
            sent=moment.sent,
            at_s=moment.at_s,
            held_s=ended_s - moment.at_s if done else None,
            suppressed=suppressed,
            steps=self._agent.steps(),
            registered=len(self._registry),
            leaks=find_leaks(self._loop.tasks() - {task}, self._loop.generators),
            stored=stored,
            locked=locked,
        )

    async def _stream(self) -> AsyncGenerator[bytes, None]:
        service = self._parts.layers.service(
            agent=self._agent,
            runs=self._parts.runs,
            registry=self._registry,
            conversations=self._lock().acquire,
            keepalive_s=self._parts.keepalive_s,
        )
        request = StreamRequest("agent", conversation=self._run_id, run_id=self._run_id)
        _, events = await service.stream(request)
        return events

    async def _stored(self) -> tuple[Run | None, bool]:
        """Return the run as it is stored, and whether its conversation is locked."""
        stored = await self._parts.runs.get(self._run_id)
        try:
            async with self._lock().acquire(self._run_id):
                return stored, False
        except ConversationBusyError:
            return stored, True

    def _lock(self) -> ConversationLock:
        return ConversationLock(self._parts.locks, clock=self._loop.time)


@contextmanager
def captured_warnings() -> Iterator[list[str]]:
    """Collect what the streaming system logs as a warning or worse, in place of printing it."""
    logger, handler = logging.getLogger("harness.streaming"), _Collector(logging.WARNING)
    before = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield handler.warnings
    finally:
        logger.removeHandler(handler)
        logger.propagate = before


class _Collector(logging.Handler):
    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.warnings: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self.warnings.append(f"{record.getMessage()}" + (f": {error!r}" if error else ""))
