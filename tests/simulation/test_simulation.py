"""The virtual event loop: the same steps in every run, and no real time."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from harness.simulation.loop import new_loop, run

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from harness.simulation.loop import VirtualLoop


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    made = new_loop()
    yield made
    made.close()


async def now() -> float:
    return asyncio.get_running_loop().time()


async def forever() -> None:
    await asyncio.Event().wait()


def test_virtual_sleep_takes_no_real_time() -> None:
    async def sleeps() -> float:
        await asyncio.sleep(3600)
        await asyncio.sleep(0.5)
        return await now()

    started = time.monotonic()
    assert run(sleeps()) == 3600.5
    assert time.monotonic() - started < 3600


def test_time_does_not_advance_while_a_step_is_ready() -> None:
    async def turns() -> float:
        for _ in range(1000):
            await asyncio.sleep(0)
        return await now()

    assert run(turns()) == 0


def test_timers_fire_in_the_order_of_their_time_and_then_of_their_creation() -> None:
    async def listed() -> list[str]:
        loop, order = asyncio.get_running_loop(), list[str]()
        for delay, name in ((2, "c"), (1, "a"), (2, "d"), (1, "b")):
            loop.call_later(delay, order.append, name)
        loop.call_later(1, order.append, "never").cancel()
        await asyncio.sleep(3)
        return order

    assert run(listed()) == ["a", "b", "c", "d"]


def test_timeouts_count_virtual_seconds() -> None:
    async def waits() -> float:
        with suppress(TimeoutError):
            async with asyncio.timeout(30):
                await forever()
        return await now()

    assert run(waits()) == 30


def test_a_job_for_a_thread_is_a_step_and_its_exception_is_raised_where_it_is_awaited() -> None:
    async def both() -> int:
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 // 0)
        return await asyncio.to_thread(lambda: 3)

    assert run(both()) == 3


def test_a_job_is_done_even_if_the_waiting_task_is_cancelled(loop: VirtualLoop) -> None:
    done: list[int] = []
    task = loop.create_task(_job(done))
    loop.schedule.at(1, task.cancel)
    assert loop.drive(task)
    loop.settle()
    assert (task.cancelled(), done) == (True, [1])


async def _job(done: list[int]) -> None:
    await asyncio.to_thread(done.append, 1)


def test_a_task_that_would_wait_for_ever_is_detected(loop: VirtualLoop) -> None:
    assert not loop.drive(loop.create_task(forever()))
    with pytest.raises(RuntimeError, match="would wait for ever"):
        run(forever())


def test_an_endless_loop_is_detected(loop: VirtualLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    async def turns() -> None:
        while True:  # noqa: ASYNC110 - the endless loop is the point
            await asyncio.sleep(0)

    monkeypatch.setattr("harness.simulation.loop.STEPS", 1000)
    assert not loop.drive(loop.create_task(turns()))


def test_a_time_limit_leaves_the_task_pending(loop: VirtualLoop) -> None:
    task = loop.create_task(asyncio.sleep(100))
    assert not loop.drive(task, limit_s=99)
    assert loop.time() == 0
    assert loop.drive(task, limit_s=100)
    assert loop.time() == 100


def test_a_task_can_be_interrupted_at_each_of_its_steps() -> None:
    def interrupted(at: int) -> tuple[int, float, bool]:
        loop = new_loop()
        task = loop.create_task(_three_seconds())
        loop.schedule.at(at, task.cancel)
        assert loop.drive(task)
        seen = loop.schedule.steps, loop.time(), task.cancelled()
        loop.close()
        return seen

    seen = [interrupted(at) for at in range(9)]
    assert seen == [interrupted(at) for at in range(9)]  # the same each time
    times = [when for _, when, cancelled in seen if cancelled]
    assert times == sorted(times)
    assert set(times) == {0.0, 1.0, 2.0, 3.0}  # during each sleep, and just after it
    assert seen[-1] == (7, 3.0, False)  # the task was done by then


async def _three_seconds() -> None:
    for _ in range(3):
        await asyncio.sleep(1)


def test_a_dropped_generator_is_closed_by_the_loop(loop: VirtualLoop) -> None:
    closed: list[str] = []

    async def numbers() -> AsyncGenerator[int, None]:
        try:
            yield 1
        finally:
            await asyncio.sleep(0)
            closed.append("closed")

    async def drops() -> None:
        assert await anext(numbers()) == 1

    assert loop.drive(loop.create_task(drops()))
    assert closed == []
    loop.settle()
    assert closed == ["closed"]


def test_remaining_tasks_are_listed_and_cancelled_on_close(loop: VirtualLoop) -> None:
    pending = loop.create_task(forever())
    assert loop.drive(loop.create_task(asyncio.sleep(0)))
    assert loop.tasks() == {pending}
    loop.close()
    assert pending.cancelled()
    assert loop.is_closed()


def test_an_unretrieved_exception_is_reported(loop: VirtualLoop) -> None:
    loop.call_soon(lambda: 1 // 0)
    loop.settle()
    [message] = loop.complaints
    assert "ZeroDivisionError" in message


async def test_it_runs_inside_another_loop_and_restores_it() -> None:
    outer = asyncio.get_running_loop()
    assert run(now()) == 0
    assert asyncio.get_running_loop() is outer
    await asyncio.sleep(0)


async def _connects() -> None:
    await asyncio.open_connection("127.0.0.1", 9)


def test_sockets_are_not_available() -> None:
    with pytest.raises(NotImplementedError):
        run(_connects())
