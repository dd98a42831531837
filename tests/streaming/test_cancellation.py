"""The signal and its guard at each moment; the registry; deferred cancellations."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import RunCancelled
from harness.streaming.cancellation import CancellationRegistry, CancelSignal
from harness.streaming.closing import DeferCancellation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator


async def silence() -> None:
    await asyncio.get_running_loop().create_future()


async def turns(count: int = 3) -> None:
    """Let all other tasks run."""
    for _ in range(count):
        await asyncio.sleep(0)


async def waiting(awaitable: Any, signal: CancelSignal) -> asyncio.Task[Any]:
    """Return a task that waits under the guard."""
    task = asyncio.create_task(signal.guard(awaitable))
    await turns()
    return task


async def test_a_guard_returns_the_result() -> None:
    signal = CancelSignal()
    assert await signal.guard(asyncio.sleep(0, "done")) == "done"
    assert not signal.waits


async def test_a_silent_wait_ends_when_the_signal_fires() -> None:
    signal = CancelSignal()
    task = await waiting(silence(), signal)
    signal.fire()
    with pytest.raises(RunCancelled):
        await task
    assert task.cancelling() == 0
    assert not task.cancelled()
    assert not signal.waits


async def test_a_fired_signal_prevents_new_waits() -> None:
    signal = CancelSignal()
    signal.fire()
    ran = False

    async def run() -> None:
        nonlocal ran
        ran = True

    with pytest.raises(RunCancelled):
        await signal.guard(run())
    task = asyncio.ensure_future(silence())
    with pytest.raises(RunCancelled):
        await signal.guard(task)
    await turns()
    assert task.cancelled()
    assert not ran
    assert not signal.waits


async def test_an_awaitable_that_cannot_be_discarded_is_ignored() -> None:
    class Plain:
        def __await__(self) -> Generator[None, None, None]:
            yield

    signal = CancelSignal()
    signal.fire()
    with pytest.raises(RunCancelled):
        await signal.guard(Plain())


async def test_a_guard_outside_a_task_raises_an_error() -> None:
    loop = asyncio.get_running_loop()
    raised: asyncio.Future[Exception] = loop.create_future()

    def callback() -> None:
        try:
            CancelSignal().guard(loop.create_future()).send(None)
        except RuntimeError as error:
            raised.set_result(error)

    loop.call_soon(callback)
    error = await asyncio.wait_for(raised, 1)
    assert "inside a task" in str(error)


async def test_a_signal_may_be_fired_from_another_thread() -> None:
    signal = CancelSignal()
    task = await waiting(silence(), signal)
    thread = threading.Thread(target=signal.fire)
    thread.start()
    with pytest.raises(RunCancelled):
        await asyncio.wait_for(task, 1)
    thread.join()


async def test_a_signal_that_fires_between_two_guards_stops_the_second() -> None:
    signal = CancelSignal()
    await signal.guard(asyncio.sleep(0))
    signal.fire()
    await turns()  # a late cancellation would be raised here
    with pytest.raises(RunCancelled):
        await signal.guard(silence())
    await turns()


async def test_a_task_that_fires_the_signal_under_its_own_guard_is_not_cancelled_later() -> None:
    signal = CancelSignal()

    async def fire() -> str:
        signal.fire()
        return "opened"

    assert await signal.guard(fire()) == "opened"
    await turns()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


@pytest.mark.parametrize("order", ["foreign first", "signal first", "foreign a turn later"])
async def test_another_cancellation_at_the_same_moment_wins(order: str) -> None:
    signal = CancelSignal()
    task = await waiting(silence(), signal)
    if order == "foreign first":
        task.cancel()
        signal.fire()
    else:
        signal.fire()
        if order == "foreign a turn later":
            asyncio.get_running_loop().call_soon(task.cancel)
        else:
            task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()
    assert not signal.waits


async def test_a_second_fire_during_clean_up_has_no_effect() -> None:
    signal = CancelSignal()
    cleaned = False

    async def tidy() -> None:
        nonlocal cleaned
        try:
            await silence()
        finally:
            await turns(5)
            cleaned = True

    task = await waiting(tidy(), signal)
    signal.fire()
    await turns(2)
    signal.fire()
    with pytest.raises(RunCancelled):
        await task
    assert cleaned


async def test_a_result_at_the_moment_of_the_signal_is_returned() -> None:
    signal = CancelSignal()
    future = asyncio.get_running_loop().create_future()

    async def stubborn() -> str:
        with suppress(asyncio.CancelledError):
            await future
        return "opened"

    task = await waiting(stubborn(), signal)
    signal.fire()
    assert await task == "opened"
    assert task.cancelling() == 0


async def test_an_exception_raised_from_an_interruption_becomes_run_cancelled() -> None:
    signal = CancelSignal()

    async def relabel() -> None:
        try:
            await silence()
        except asyncio.CancelledError:
            raise ConnectionError("gone") from None

    task = await waiting(relabel(), signal)
    signal.fire()
    with pytest.raises(RunCancelled) as caught:
        await task
    assert isinstance(caught.value.__cause__, ConnectionError)


async def test_an_exception_under_the_guard_passes_through() -> None:
    async def fail() -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        await CancelSignal().guard(fail())


async def test_a_timeout_around_the_guard_is_a_timeout() -> None:
    signal = CancelSignal()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await signal.guard(silence())
    assert not signal.waits


async def test_a_timeout_at_the_moment_of_the_signal_is_a_timeout() -> None:
    signal = CancelSignal()
    deadline = asyncio.timeout(None)

    async def run() -> None:
        async with deadline:
            await signal.guard(silence())

    task = asyncio.create_task(run())
    await turns()
    deadline.reschedule(0)
    signal.fire()
    with pytest.raises(TimeoutError):
        await task


async def test_a_cancelled_run_in_a_task_group_cancels_its_siblings_once() -> None:
    signal, other = CancelSignal(), CancelSignal()
    siblings: list[asyncio.Task[None]] = []

    async def run() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(signal.guard(silence()))
            siblings.append(group.create_task(other.guard(silence())))

    task = asyncio.create_task(run())
    await turns()
    signal.fire()
    with pytest.raises(ExceptionGroup) as caught:
        await task
    assert [type(error) for error in caught.value.exceptions] == [RunCancelled]
    assert siblings[0].cancelled()
    assert not other.waits


async def test_nested_guards_end_in_order() -> None:
    signal = CancelSignal()
    task = await waiting(signal.guard(silence()), signal)
    signal.fire()
    with pytest.raises(RunCancelled):
        await task
    assert task.cancelling() == 0


async def test_every_waiting_task_is_cancelled() -> None:
    signal = CancelSignal()
    tasks = [await waiting(silence(), signal) for _ in range(5)]
    signal.fire()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(error) for error in found} == {RunCancelled}


async def numbers() -> AsyncIterator[int]:
    for number in range(3):
        yield number


async def test_a_guarded_stream_ends_with_the_signal() -> None:
    signal = CancelSignal()
    reader = signal.guard_stream(numbers())
    assert [await anext(reader), await anext(reader)] == [0, 1]
    signal.fire()
    for _ in range(2):
        with pytest.raises(RunCancelled):
            await anext(reader)


async def test_a_guarded_stream_yields_everything() -> None:
    assert [number async for number in CancelSignal().guard_stream(numbers())] == [0, 1, 2]


async def test_an_event_at_the_moment_of_the_signal_is_dropped() -> None:
    signal = CancelSignal()

    async def once() -> AsyncIterator[int]:
        signal.fire()
        yield 1

    with pytest.raises(RunCancelled):
        await anext(signal.guard_stream(once()))


async def test_a_wait_creates_no_task() -> None:
    signal = CancelSignal()
    before = asyncio.all_tasks()
    task = await waiting(silence(), signal)
    assert asyncio.all_tasks() - before == {task}
    signal.fire()
    await asyncio.gather(task, return_exceptions=True)


def test_a_callback_runs_in_the_thread_that_fires() -> None:
    signal = CancelSignal()
    called: list[int] = []
    with signal.on_fire(lambda: called.append(threading.get_ident())):
        thread = threading.Thread(target=signal.fire)
        thread.start()
        thread.join()
    assert len(called) == 1
    assert called != [threading.get_ident()]


def test_a_late_callback_runs_at_once_and_a_removed_one_never() -> None:
    signal, called = CancelSignal(), []
    with signal.on_fire(lambda: called.append("left")):
        pass
    signal.fire()
    with signal.on_fire(lambda: called.append("late")):
        pass
    assert called == ["late"]


async def test_a_registry_removes_finished_runs_and_a_new_run_gets_a_new_signal() -> None:
    registry = CancellationRegistry()
    async with registry.registered("run") as first:
        assert registry.get("run") is first
        assert registry.fire("run")
        assert first.fired
        async with registry.registered("run") as second:  # the run is tried again
            assert not second.fired
        assert registry.get("run") is None
    assert not registry.fire("run")
    assert len(registry) == 0
    registry.create("gone")
    registry.remove("gone")
    registry.remove("gone")
    assert len(registry) == 0


async def test_a_run_that_ends_late_keeps_the_signal_of_its_successor() -> None:
    registry = CancellationRegistry()
    async with registry.registered("run"):
        successor = registry.create("run")
    assert registry.get("run") is successor


async def test_a_registered_run_that_fails_is_removed() -> None:
    registry = CancellationRegistry()
    with pytest.raises(ValueError, match="mine"):
        async with registry.registered("run"):
            raise ValueError("mine")
    assert len(registry) == 0


async def test_a_deferred_cancellation_is_raised_after_the_work() -> None:
    steps: list[str] = []
    opened = asyncio.get_running_loop().create_future()

    async def work() -> None:
        assert asyncio.current_task() is task
        steps.append("begun")
        await asyncio.sleep(0)
        await opened
        steps.append("done")

    async def run() -> None:
        await DeferCancellation(work())

    task = asyncio.create_task(run())
    for _ in range(4):
        await turns(2)
        task.cancel()
    assert steps == ["begun"]
    opened.set_result(None)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert steps == ["begun", "done"]
    assert task.cancelled()


async def test_failing_work_does_not_hide_the_cancellation() -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        raise ConnectionError("gone")

    async def run() -> None:
        await DeferCancellation(work())

    with pytest.raises(ConnectionError):
        await run()
    task = asyncio.create_task(run())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert isinstance(caught.value.__cause__, ConnectionError)


async def test_a_cancellation_waits_for_a_limited_time() -> None:
    tidied = False

    async def work() -> None:
        nonlocal tidied
        try:
            await silence()
        finally:
            tidied = True

    async def run() -> None:
        await DeferCancellation(work(), grace_s=0.01)

    task = asyncio.create_task(run())
    await turns()
    task.cancel()
    await turns()
    assert not task.done()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 1)
    assert tidied
