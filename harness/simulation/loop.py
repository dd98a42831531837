"""An asyncio event loop without a real clock, threads or sockets.

Rules of this file: the same program makes the same steps in every run; nothing real is waited for,
so what needs a socket raises NotImplementedError, and a job for a thread is a step like any other;
tasks and generators that remain at the end can be listed, then are closed.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import contextmanager
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple
from weakref import WeakSet

from harness.simulation.clock import Clock
from harness.simulation.schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
    from contextvars import Context

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

STEPS = 200_000  # limit per program; a stream of a thousand events takes a tenth of it
LIMIT_S = 3600.0  # virtual seconds after which a task counts as blocked for ever


class VirtualLoop(asyncio.AbstractEventLoop):
    """A loop that is driven step by step, in the thread that created it.

    ``schedule`` counts the steps and intervenes at one; ``generators`` holds the asynchronous
    generators that were started; ``complaints`` holds the messages of asyncio's exception handler:
    exceptions that were never retrieved, pending tasks that were destroyed.
    """

    def __init__(self) -> None:
        self._clock = Clock()
        self.schedule = Schedule(self._clock)
        self.generators: WeakSet[AsyncGenerator[Any, Any]] = WeakSet()
        self.complaints: list[str] = []
        self._running = self._closed = False

    # Driving

    def drive(self, work: asyncio.Future[Any], limit_s: float = LIMIT_S) -> bool:
        """Run steps until a task is done, and not one more.

        Args:
            work: a task of this loop.
            limit_s: how many virtual seconds it may take.

        Returns:
            False if it is not done: nothing will ever wake it, the time limit is reached, or it
            loops without end.
        """
        until, last = self.time() + limit_s, self.schedule.steps + STEPS
        with self._as_the_running_loop():
            while not work.done():
                if self.schedule.steps >= last or not self.schedule.step(until):
                    return False
        return True

    def settle(self, limit_s: float = LIMIT_S) -> None:
        """Run the remaining steps, until no step is ready and no timer is set."""
        self.drive(self.create_future(), limit_s)

    def close(self) -> None:
        """Close the loop: cancel the remaining tasks, then close the generators."""
        if self._closed:
            return
        for task in self.tasks():
            task.cancel()
            self.drive(task)
        if self.generators:
            self.drive(self.create_task(self.shutdown_asyncgens()))
        self._closed = True

    async def shutdown_asyncgens(self) -> None:
        """Close the generators that are still open."""
        closing = (generator.aclose() for generator in list(self.generators))
        await asyncio.gather(*closing, return_exceptions=True)

    def tasks(self) -> set[asyncio.Task[Any]]:
        """Return the tasks that are not done."""
        return asyncio.all_tasks(self)

    @contextmanager
    def _as_the_running_loop(self) -> Generator[None, None, None]:
        hooks, outer = sys.get_asyncgen_hooks(), asyncio._get_running_loop()  # noqa: SLF001
        asyncio._set_running_loop(self)  # noqa: SLF001 - documented for authors of event loops
        sys.set_asyncgen_hooks(firstiter=self.generators.add, finalizer=self._finalize)
        self._running = True
        try:
            yield
        finally:
            self._running = False
            sys.set_asyncgen_hooks(*hooks)
            asyncio._set_running_loop(outer)  # noqa: SLF001 - the same

    def _finalize(self, generator: AsyncGenerator[Any, Any]) -> None:
        """Close a garbage-collected generator in a task of its own, as asyncio does."""
        self.call_soon(self.create_task, generator.aclose())

    # The interface of an asyncio event loop

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._clock.now

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Schedule a callback as a step."""
        handle = asyncio.Handle(callback, args, self, context)
        self.schedule.add(handle)
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Schedule a callback as a step; there are no other threads."""
        return self.call_soon(callback, *args, context=context)

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Schedule a callback after ``delay`` virtual seconds."""
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Schedule a callback at a virtual time."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._clock.set(timer)
        return timer

    def _timer_handle_cancelled(self, _: asyncio.TimerHandle) -> None:
        """Do nothing: the clock skips cancelled timers."""

    def create_future(self) -> asyncio.Future[Any]:
        """Return a future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, **named: Any) -> asyncio.Task[Any]:
        """Create a task; its first step is scheduled after those that are ready."""
        return asyncio.Task(coro, loop=self, **named)

    def run_in_executor(
        self,
        executor: object,  # noqa: ARG002 - there are no threads to choose from
        func: Callable[[*Ts], T],
        *args: *Ts,
    ) -> asyncio.Future[T]:
        """Run a job for a thread as a step, even if the waiting task is cancelled."""
        result = self.create_future()
        self.call_soon(_run_job, result, partial(func, *args))
        return result

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Store the message of an exception that was never retrieved."""
        error = context.get("exception")
        message = context.get("message", "")
        self.complaints.append(message if error is None else f"{message}: {error!r}")

    def get_debug(self) -> bool:
        """Return False: the debug mode measures real time."""
        return False

    def is_running(self) -> bool:
        """Return whether a step is running."""
        return self._running

    def is_closed(self) -> bool:
        """Return whether the loop is closed."""
        return self._closed


def _run_job(result: asyncio.Future[T], job: Callable[[], T]) -> None:
    try:
        value = job()
    except Exception as error:  # noqa: BLE001 - raised where the result is awaited
        if not result.done():
            result.set_exception(error)
    else:
        if not result.done():
            result.set_result(value)


def new_loop() -> VirtualLoop:
    """Return a new loop at virtual time 0; the caller closes it."""
    return VirtualLoop()  # type: ignore[abstract]  # methods that are not defined raise, as meant


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a new loop and return its result, as ``asyncio.run`` does.

    Raises:
        RuntimeError: it would wait for ever.
        Exception: what the coroutine raised.
    """
    loop = new_loop()
    try:
        task: asyncio.Task[T] = loop.create_task(work)
        if not loop.drive(task, inf):
            raise RuntimeError(f"{task!r:.200} would wait for ever")
        return task.result()
    finally:
        loop.close()
