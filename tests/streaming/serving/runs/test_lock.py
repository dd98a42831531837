"""Locks on conversations, on every database."""

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
    """A clock and a sleep that the test controls."""

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
    """The lock of one process; ``other`` is that of another process."""
    made = ConversationLock(open_database(dsn, SCHEMA), ttl=TTL, clock=time.read, sleep=time.sleep)
    yield made
    await made.aclose()


@pytest.fixture
async def other(dsn: str, time: Time) -> AsyncIterator[ConversationLock]:
    made = ConversationLock(open_database(dsn, SCHEMA), ttl=TTL, clock=time.read, sleep=time.sleep)
    yield made
    await made.aclose()


async def test_a_busy_conversation_raises_conversation_busy_error(
    lock: ConversationLock, other: ConversationLock
) -> None:
    async with lock.acquire("conv_1") as lease:
        with pytest.raises(ConversationBusyError, match="conv_1") as busy:
            async with other.acquire("conv_1"):
                pytest.fail("two runs hold one conversation")
        assert busy.value.conversation == lease.conversation == "conv_1"
        async with other.acquire("conv_2"):
            pass
    async with other.acquire("conv_1"):
        pass


async def test_a_refused_caller_does_not_release_the_lease_of_the_owner(
    lock: ConversationLock, other: ConversationLock
) -> None:
    async with lock.acquire("conv_1"):
        for _ in range(2):
            with pytest.raises(ConversationBusyError):
                async with other.acquire("conv_1"):
                    pytest.fail("the refused caller released the lease of the owner")


async def test_one_of_many_concurrent_callers_gets_the_lease(dsn: str) -> None:
    leases: list[Lease] = []
    release = asyncio.Event()

    async def take(lock: ConversationLock) -> None:
        async with lock.acquire("conv_1") as lease:
            leases.append(lease)
            await release.wait()

    locks = [make_lock(dsn) for _ in range(4)]
    tasks = [asyncio.create_task(take(lock)) for lock in locks]
    await until(lambda: sum(task.done() for task in tasks) == 3)
    release.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert sorted(type(one).__name__ for one in results) == ["ConversationBusyError"] * 3 + [
        "NoneType"
    ]
    assert len(leases) == 1
    await asyncio.gather(*(lock.aclose() for lock in locks))


async def test_a_lease_is_renewed_while_it_is_held(
    lock: ConversationLock, other: ConversationLock, time: Time
) -> None:
    async with lock.acquire("conv_1") as lease:
        assert lease.until == 1030.0
        for _ in range(4):  # forty seconds: longer than the ttl
            time.tick(TTL / 3)
            await until(lambda: lease.until == time.now + TTL)
        with pytest.raises(ConversationBusyError):
            async with other.acquire("conv_1"):
                pytest.fail("a renewed lease expired")
    assert set(time.slept) == {10.0}


async def test_a_lease_of_a_dead_owner_expires(
    lock: ConversationLock, other: ConversationLock, time: Time
) -> None:
    dead = Lease("conv_1")
    await lock._take(dead)  # and it is not renewed
    time.now += TTL - 0.001
    with pytest.raises(ConversationBusyError):
        async with other.acquire("conv_1"):
            pytest.fail("a lease expired early")
    time.now += 0.001
    async with other.acquire("conv_1"):
        await lock._release(dead)  # it is alive again, but the lease is not its own any more
        with pytest.raises(ConversationBusyError):
            async with lock.acquire("conv_1"):
                pytest.fail("the old owner released the lease of the new one")


async def test_an_owner_learns_that_it_lost_its_lease(
    lock: ConversationLock, other: ConversationLock, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    async with lock.acquire("conv_1") as lease:
        time.now += TTL  # the process missed every renewal
        async with other.acquire("conv_1") as theirs:
            time.tick(0)
            await until(lambda: lease.lost)
            assert not theirs.lost
    assert "the lease on conversation 'conv_1' was lost" in caplog.text


async def test_a_run_that_raises_or_is_cancelled_releases_its_lease(
    lock: ConversationLock, other: ConversationLock
) -> None:
    async def fail() -> None:
        async with lock.acquire("conv_1"):
            raise ValueError("no run could be created")

    async def wait() -> None:
        async with lock.acquire("conv_1"):
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
    async with other.acquire("conv_1"):
        pass
    assert not [task for task in asyncio.all_tasks() if "_keep_renewing" in repr(task)]


class Slow:
    """A database whose reply to the first statement never comes, though the statement is done."""

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


async def test_a_caller_cancelled_before_it_receives_its_lease_releases_it(
    dsn: str, other: ConversationLock
) -> None:
    slow = Slow(open_database(dsn, SCHEMA))
    lock = ConversationLock(slow)

    async def take() -> None:
        async with lock.acquire("conv_1"):
            pytest.fail("it was cancelled before this")

    task = asyncio.create_task(take())
    await slow.done.wait()
    with pytest.raises(ConversationBusyError):
        async with other.acquire("conv_1"):
            pytest.fail("the slow caller holds it")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with other.acquire("conv_1"):
        pass
    await lock.aclose()


async def test_a_failing_database_does_not_hide_an_exception_of_the_run(
    dsn: str, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    database = open_database(dsn, SCHEMA)
    lock = ConversationLock(database, ttl=TTL, clock=time.read, sleep=time.sleep)

    async def run() -> None:
        async with lock.acquire("conv_1") as lease:
            await database.aclose()
            time.tick(TTL / 3)
            await until(lambda: "was not renewed" in caplog.text)
            assert not lease.lost, "two more renewals may succeed"
            time.tick(TTL)
            await until(lambda: lease.lost)
            raise ValueError("of the run")

    with pytest.raises(ValueError, match="of the run"):
        await run()
    assert "it expires by its ttl" in caplog.text


async def test_the_real_clock_renews_too(dsn: str) -> None:
    lock = make_lock(dsn, ttl=0.03)
    async with lock.acquire("conv_1") as lease:
        first = lease.until
        await until(lambda: lease.until > first)
    await lock.aclose()
