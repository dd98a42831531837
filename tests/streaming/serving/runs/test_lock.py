"""One suite for every database: what a conversation's lock promises."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest

from harness.errors import ConversationBusyError
from harness.streaming.databases.database import open_database
from harness.streaming.serving.runs.lock import SCHEMA, ConversationLock, Lease, make_lock
from tests.streaming.databases.servers import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from harness.streaming.databases.database import Database
    from harness.streaming.databases.schema import Row, Values

TTL = 30.0


class Time:
    """A clock that moves when told; whoever sleeps by it wakes when told."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []
        self._ticks = asyncio.Semaphore(0)

    def read(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await self._ticks.acquire()

    def tick(self, seconds: float) -> None:
        """Move the clock and wake the sleeper, once."""
        self.now += seconds
        self._ticks.release()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def lock(dsn: str, time: Time) -> AsyncIterator[ConversationLock]:
    """The lock of one process; ``other`` is that of another."""
    made = ConversationLock(open_database(dsn, SCHEMA), ttl=TTL, clock=time.read, sleep=time.sleep)
    yield made
    await made.aclose()


@pytest.fixture
async def other(dsn: str, time: Time) -> AsyncIterator[ConversationLock]:
    made = ConversationLock(open_database(dsn, SCHEMA), ttl=TTL, clock=time.read, sleep=time.sleep)
    yield made
    await made.aclose()


async def test_the_second_taker_is_told_by_a_type(
    lock: ConversationLock, other: ConversationLock
) -> None:
    async with lock.held("conv_1") as hold:
        with pytest.raises(ConversationBusyError, match="conv_1") as busy:
            async with other.held("conv_1"):
                pytest.fail("two runs hold one conversation")
        assert busy.value.conversation == hold.conversation == "conv_1"
        async with other.held("conv_2"):
            pass
    async with other.held("conv_1"):
        pass


async def test_being_refused_leaves_the_owners_hold_alone(
    lock: ConversationLock, other: ConversationLock
) -> None:
    async with lock.held("conv_1"):
        for _ in range(2):
            with pytest.raises(ConversationBusyError):
                async with other.held("conv_1"):
                    pytest.fail("the refused taker released a hold that was not its own")


async def test_of_many_takers_at_once_one_holds(dsn: str) -> None:
    holds: list[Lease] = []
    leave = asyncio.Event()

    async def take(lock: ConversationLock) -> None:
        async with lock.held("conv_1") as hold:
            holds.append(hold)
            await leave.wait()

    locks = [make_lock(dsn) for _ in range(4)]
    tasks = [asyncio.create_task(take(lock)) for lock in locks]
    await until(lambda: sum(task.done() for task in tasks) == 3)
    leave.set()
    told = await asyncio.gather(*tasks, return_exceptions=True)
    assert sorted(type(one).__name__ for one in told) == ["ConversationBusyError"] * 3 + [
        "NoneType"
    ]
    assert len(holds) == 1
    await asyncio.gather(*(lock.aclose() for lock in locks))


async def test_a_hold_is_renewed_while_it_is_held(
    lock: ConversationLock, other: ConversationLock, time: Time
) -> None:
    async with lock.held("conv_1") as hold:
        assert hold.until == 1030.0
        for _ in range(4):  # forty seconds: longer than the ttl
            time.tick(TTL / 3)
            await until(lambda: hold.until == time.now + TTL)
        with pytest.raises(ConversationBusyError):
            async with other.held("conv_1"):
                pytest.fail("a renewed hold ran out")
    assert set(time.slept) == {10.0}


async def test_a_hold_whose_owner_died_runs_out(
    lock: ConversationLock, other: ConversationLock, time: Time
) -> None:
    dead = Lease("conv_1")
    await lock._take(dead)  # and nobody renews it
    time.now += TTL - 0.001
    with pytest.raises(ConversationBusyError):
        async with other.held("conv_1"):
            pytest.fail("a hold ran out early")
    time.now += 0.001
    async with other.held("conv_1"):
        await lock._release(dead)  # it comes back to life: the hold is not its own any more
        with pytest.raises(ConversationBusyError):
            async with lock.held("conv_1"):
                pytest.fail("a dead owner released the hold of the living one")


async def test_an_owner_that_was_overtaken_learns_that_it_lost(
    lock: ConversationLock, other: ConversationLock, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    async with lock.held("conv_1") as hold:
        time.now += TTL  # the process slept through every renewal
        async with other.held("conv_1") as theirs:
            time.tick(0)
            await until(lambda: hold.lost)
            assert not theirs.lost
    assert "conversation 'conv_1' was lost" in caplog.text


async def test_a_run_that_raises_or_is_cancelled_releases(
    lock: ConversationLock, other: ConversationLock
) -> None:
    async def fail() -> None:
        async with lock.held("conv_1"):
            raise ValueError("no run could be created")

    async def wait() -> None:
        async with lock.held("conv_1"):
            inside.set()
            await asyncio.Event().wait()

    with pytest.raises(ValueError, match="no run"):
        await fail()
    inside = asyncio.Event()
    task = asyncio.create_task(wait())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with other.held("conv_1"):
        pass
    assert not [task for task in asyncio.all_tasks() if "_keep_renewing" in repr(task)]


class Slow:
    """A database whose answers are late: the statement is done, nobody knows yet."""

    name = "slow"

    def __init__(self, real: Database) -> None:
        self._real = real
        self.done = asyncio.Event()

    async def execute(self, statement: str, values: Values | None = None) -> list[Row]:
        rows = await self._real.execute(statement, values)
        if not self.done.is_set():
            self.done.set()
            await asyncio.Event().wait()
        return rows

    async def aclose(self) -> None:
        await self._real.aclose()


async def test_a_taker_cancelled_before_it_knew_that_it_held_releases(
    dsn: str, other: ConversationLock
) -> None:
    slow = Slow(open_database(dsn, SCHEMA))
    lock = ConversationLock(slow)

    async def take() -> None:
        async with lock.held("conv_1"):
            pytest.fail("it was cancelled before")

    task = asyncio.create_task(take())
    await slow.done.wait()
    with pytest.raises(ConversationBusyError):
        async with other.held("conv_1"):
            pytest.fail("the slow taker holds it")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with other.held("conv_1"):
        pass
    await lock.aclose()


async def test_a_database_that_goes_away_never_hides_what_the_run_raised(
    dsn: str, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    database = open_database(dsn, SCHEMA)
    lock = ConversationLock(database, ttl=TTL, clock=time.read, sleep=time.sleep)

    async def run() -> None:
        async with lock.held("conv_1") as hold:
            await database.aclose()
            time.tick(TTL / 3)
            await until(lambda: "was not renewed" in caplog.text)
            assert not hold.lost, "two renewals are left"
            time.tick(TTL)
            await until(lambda: hold.lost)
            raise ValueError("the run's own")

    with pytest.raises(ValueError, match="the run's own"):
        await run()
    assert "runs out by its ttl" in caplog.text


async def test_the_real_clock_renews_too(dsn: str) -> None:
    lock = make_lock(dsn, ttl=0.03)
    async with lock.held("conv_1") as hold:
        first = hold.until
        await until(lambda: hold.until > first)
    await lock.aclose()
