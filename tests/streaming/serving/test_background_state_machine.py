"""Background runs, with clients that start, read, cancel, abort and resume in any order.

Real databases, a real Redis, and a second process's ``BackgroundRuns`` that shares only the Redis.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from harness.errors import ConversationBusyError
from harness.streaming.cancellation import CancellationRegistry
from harness.streaming.serving import BackgroundRuns
from harness.streaming.serving.client_events import ClientEventReader, client_event_violations
from tests.streaming.databases.conftest import dsn, postgres
from tests.streaming.serving.background.stored_runs import (
    PREFIX,
    collect,
    eventually,
    new_id,
    opened,
)
from tests.streaming.serving.service_env import Received, ServiceEnv, text
from tests.streaming.serving.test_background_runs import listening

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine

    from harness.streaming.serving import AgentChunk, AgentRequest
    from harness.streaming.serving.runs.statuses import StopReason

__all__ = ["dsn", "postgres"]
ENDINGS: dict[str, Any] = {"end_turn": "end_turn", "max_steps": "max_steps", "error": ValueError()}
QUICK = settings(
    max_examples=25,
    phases=[Phase.generate],  # a failure waits for its timeout: shrinking would take hours
    report_multiple_bugs=False,
    stateful_step_count=14,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@dataclass
class ExpectedRun:
    """A run as it should be: what its agent yielded, and the possible stop reasons."""

    run_id: str
    conversation: str
    items: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)
    messages: int = 0
    reasons: set[StopReason] = field(default_factory=set)
    aborted: bool = False  # by its own client, so its final events were not stored

    @property
    def over(self) -> bool:
        return bool(self.reasons)


class Reader:
    """Reads a run after some event, in a task of its own.

    Args:
        run: the run.
        after: the number of the last event it has.
        frames: what it reads.
        own: whether it is the run's own client, so that the run ends with it.
    """

    def __init__(
        self,
        run: ExpectedRun,
        after: int,
        frames: AsyncGenerator[bytes, None],
        *,
        own: bool = False,
    ) -> None:
        self.run, self.after, self.own = run, after, own
        self.sent: list[bytes] = []
        self.task = asyncio.create_task(self._read(frames))

    async def _read(self, frames: AsyncGenerator[bytes, None]) -> None:
        async with aclosing(frames):
            async for frame in frames:
                self.sent.append(frame)

    @property
    def last(self) -> int:
        """The number of the last event it has."""
        reader = ClientEventReader()
        numbers = [event.seq_id for frame in self.sent for event in reader.feed(frame)]
        return max((number for number in numbers if number is not None), default=self.after)

    async def abort(self) -> None:
        self.task.cancel()
        await asyncio.wait({self.task})


class TwoProcesses:
    """The service with its background runs, and another process that shares only the Redis.

    Args:
        dsn: the database of runs and locks.
    """

    def __init__(self, dsn: str) -> None:
        self.env, self._stack = ServiceEnv(dsn), AsyncExitStack()
        self.runs: dict[str, ExpectedRun] = {}

    async def open(self) -> None:
        enter, prefix = self._stack.enter_async_context, f"{PREFIX}:{new_id()}"
        here, there = await enter(opened(prefix=prefix)), await enter(opened(prefix=prefix))
        service = self.env.service(self._agent)
        elsewhere = self.env.service(self._agent, registry=CancellationRegistry())
        self.here = await enter(BackgroundRuns(service, here))
        self.there = await enter(BackgroundRuns(elsewhere, there))
        await eventually(partial(listening, here._client, here, 2))

    async def close(self) -> None:
        await self._stack.aclose()

    async def _agent(self, work: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        assert work.run is not None
        items, reader = self.runs[work.run.id].items, asyncio.current_task()
        self.env.provider.open += 1
        try:
            while True:
                item = await items.get()
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            self.env.provider.open -= 1
            assert asyncio.current_task() is reader

    async def start(self, conversation: str, *, own: bool) -> tuple[ExpectedRun, Reader | None]:
        run = ExpectedRun(new_id(), conversation)
        self.runs[run.run_id] = run
        request = self.env.request(run_id=run.run_id, conversation=conversation)
        if own:
            _, frames = await self.here.stream(request)
            return run, Reader(run, 0, frames, own=True)
        await self.here.start(request)
        return run, None

    async def follow(self, run: ExpectedRun, after: int, process: BackgroundRuns) -> Reader:
        return Reader(run, after, await process.follow(run.run_id, after))

    async def wait_until_ended(self, run: ExpectedRun, *reasons: StopReason) -> None:
        """Wait until a run has ended, for one of the reasons, and released its conversation."""
        run.reasons |= set(reasons)
        await eventually(lambda: self._is_over(run))
        await eventually(lambda: self._is_free(run))

    async def _is_over(self, run: ExpectedRun) -> bool:
        stored = await self.env.runs.get(run.run_id)
        return stored is not None and stored.terminal

    async def _is_free(self, run: ExpectedRun) -> bool:
        try:
            async with self.env.other.acquire(run.conversation):
                return True
        except ConversationBusyError:
            return False

    async def all_frames(self, run: ExpectedRun) -> list[bytes]:
        return await collect(await self.there.follow(run.run_id))


class Machine(RuleBasedStateMachine):
    """Clients and runs; each rule may happen at any time."""

    runs, readers = Bundle("runs"), Bundle("readers")

    def __init__(self, dsn: str) -> None:
        super().__init__()
        self.runner, self.all = asyncio.Runner(), list[Reader]()
        self.processes = self.do(_opened(dsn))
        self.conversations = [new_id(), new_id()]

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine; a timeout is a failure."""
        return self.runner.run(_in_time(work))

    def _start(self, place: int, *, own: bool) -> tuple[ExpectedRun, Reader | None] | None:
        conversation = self.conversations[place]
        runs = self.processes.runs.values()
        busy = any(not run.over and run.conversation == conversation for run in runs)
        try:
            run, reader = self.do(self.processes.start(conversation, own=own))
        except ConversationBusyError:
            self.processes.runs.popitem()
            assert busy
            return None
        assert not busy
        return run, reader

    @rule(target=runs, place=st.integers(0, 1))
    def start(self, place: int) -> Any:
        started = self._start(place, own=False)
        return started[0] if started else multiple()

    @rule(target=readers, place=st.integers(0, 1))
    def start_with_client(self, place: int) -> Any:
        started = self._start(place, own=True)
        return self._added(started[1]) if started and started[1] else multiple()

    def _added(self, reader: Reader) -> Reader:
        self.all.append(reader)
        return reader

    @rule(run=runs, count=st.integers(1, 5))
    def emit(self, run: ExpectedRun, count: int) -> None:
        if run.over:
            return
        for number in range(count):
            run.items.put_nowait(text(f"{run.messages + number} "))
        run.messages += count
        self.do(asyncio.sleep(0.01))  # so that some of it is stored before the next rule

    @rule(run=runs, reason=st.sampled_from(sorted(ENDINGS)))
    def end(self, run: ExpectedRun, reason: Any) -> None:
        if not run.over:
            run.items.put_nowait(ENDINGS[reason])
            self.do(self.processes.wait_until_ended(run, reason))

    @rule(run=runs, elsewhere=st.booleans())
    def cancel(self, run: ExpectedRun, elsewhere: bool) -> None:  # noqa: FBT001 - drawn
        process = self.processes.there if elsewhere else self.processes.here
        received = self.do(process.cancel(run.run_id))
        if not run.over:
            assert received
            self.do(self.processes.wait_until_ended(run, "cancelled"))

    @rule(run=runs)
    def end_and_cancel_at_once(self, run: ExpectedRun) -> None:
        if not run.over:
            run.items.put_nowait("end_turn")
            self.do(self.processes.here.cancel(run.run_id))
            self.do(self.processes.wait_until_ended(run, "cancelled", "end_turn"))

    @rule(target=readers, run=runs, elsewhere=st.booleans())
    def follow(self, run: ExpectedRun, elsewhere: bool) -> Reader:  # noqa: FBT001 - drawn
        process = self.processes.there if elsewhere else self.processes.here
        return self._added(self.do(self.processes.follow(run, 0, process)))

    @rule(target=readers, reader=readers)
    def resume(self, reader: Reader) -> Any:
        """Continue after the reader's last event, in the other process."""
        after, process = reader.last, self.processes.there
        return self._added(self.do(self.processes.follow(reader.run, after, process)))

    @rule(reader=consumes(readers))
    def abort(self, reader: Reader) -> None:
        running = not reader.run.over
        self.do(reader.abort())
        if reader.own and running:
            reader.run.aborted = True
            self.do(self.processes.wait_until_ended(reader.run, "cancelled"))

    @invariant()
    def runs_are_as_expected(self) -> None:
        for run in self.processes.runs.values():
            stored = self.do(self.processes.env.runs.get(run.run_id))
            assert stored.terminal is run.over, stored
            assert not run.over or stored.stop_reason in run.reasons

    def teardown(self) -> None:
        try:
            self.do(self._end_and_check())
        finally:
            self.do(self.processes.env.aclose())
            self.runner.close()

    async def _end_and_check(self) -> None:
        """End the running runs, and compare what every reader received with what is stored."""
        processes = self.processes
        try:
            for run in processes.runs.values():
                if not run.over:
                    run.items.put_nowait("end_turn")
                    await processes.wait_until_ended(run, "end_turn")
            async with asyncio.timeout(10):
                await asyncio.gather(*(reader.task for reader in self.all), return_exceptions=True)
            for run in processes.runs.values():
                await self._check(run, await processes.all_frames(run))
        finally:
            for reader in self.all:
                await reader.abort()
            await processes.close()
        for run in processes.runs.values():
            received = Received(run.run_id, aborted=True)
            assert await processes.env.violations(received, run.reasons) == []

    async def _check(self, run: ExpectedRun, frames: list[bytes]) -> None:
        received = Received(run.run_id, frames)
        count = received.labels.count("message")
        assert count == run.messages or (received.reason == "cancelled" and count <= run.messages)
        assert [sentence for _, _, sentence in client_event_violations(received.events)] == []
        stored = frames[:count] if run.aborted else frames  # each reader has an end of its own then
        for reader in (reader for reader in self.all if reader.run is run):
            rest = stored[reader.after :]
            assert reader.sent[: len(rest)] == rest[: len(reader.sent)]
            assert reader.task.cancelled() or len(reader.sent) >= len(rest)


async def _in_time(work: Coroutine[Any, Any, Any]) -> Any:
    async with asyncio.timeout(20):
        return await work


async def _opened(dsn: str) -> TwoProcesses:
    processes = TwoProcesses(dsn)
    await processes.open()
    return processes


@pytest.mark.usefixtures("redis")
def test_background_runs_in_any_order(dsn: str) -> None:
    class OnDatabase(Machine):
        def __init__(self) -> None:
            super().__init__(dsn)

    run_state_machine_as_test(OnDatabase, settings=QUICK)
