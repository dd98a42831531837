"""Cancelling a run: a signal that reaches the one place that waits for the provider.

How it works. A consumer, an HTTP handler or another process may want a run to stop while the run
waits for the provider's next event. Polling a flag would notice only when the next event arrives,
and a provider may be silent for minutes. So the waiting itself is interrupted, in the manner of
``asyncio.timeout``:

1. The reader awaits each event under ``CancelSignal.guard``, which registers the current task in
   ``waits`` and then checks ``fired``.
2. ``fire`` sets ``fired`` and then asks the loop of every registered task to cancel that task. As
   one side registers before it checks and the other sets before it looks, no wait is missed, from
   whatever thread the signal is fired.
3. The task receives ``CancelledError`` where it waits, so every ``finally`` on the way runs in the
   task that opened the stream, as HTTP clients and cancel scopes require.
4. The guard turns that cancellation into ``RunCancelled``. It compares the task's number of
   outstanding cancellations (``Task.cancelling``) with the number at the beginning of the wait; if
   another cancellation arrived as well, ``CancelledError`` passes through, as its owner expects.

A synchronous reader has no task to cancel: ``on_fire`` lets it register a callback that wakes its
thread.

Rules of this file: nothing is polled and no task is created; a signal may be fired from any thread
and any number of times; nothing stays registered after a wait.
"""

from __future__ import annotations

import asyncio
from asyncio import current_task, get_running_loop
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from harness.errors import RunCancelled

if TYPE_CHECKING:
    from collections.abc import (
        AsyncIterable,
        AsyncIterator,
        Awaitable,
        Callable,
        Coroutine,
        Iterator,
    )

T = TypeVar("T")


class CancelSignal:
    """Cancels everything that waits under its guard, once and for all.

    ``fired`` is True from the first ``fire`` on; ``waits`` holds the waits in progress.
    """

    __slots__ = ("_callbacks", "fired", "waits")

    def __init__(self) -> None:
        self.fired = False
        self.waits: set[_Wait] = set()
        self._callbacks: set[Callable[[], None]] = set()

    def fire(self) -> None:
        """Cancel all waits under the guard, now and later; may be called from any thread."""
        if self.fired:
            return
        self.fired = True
        for wait in self.waits.copy():
            wait.interrupt()
        for callback in self._callbacks.copy():
            callback()

    def guard(self, awaitable: Awaitable[T]) -> Coroutine[Any, Any, T]:
        """Await something until the signal fires.

        A result that arrives together with the signal is returned, so that what was opened can be
        closed; check ``fired``.

        Raises:
            RunCancelled: the signal has fired, before or meanwhile.
            CancelledError: the task was cancelled by something else.
        """
        return _Wait(self).run(awaitable)

    def guard_stream(self, stream: AsyncIterable[T]) -> AsyncIterator[T]:
        """Return an iterator over a stream that raises ``RunCancelled`` once the signal has fired.

        The caller closes the stream.
        """
        return _Guarded(self, stream)

    @contextmanager
    def on_fire(self, callback: Callable[[], None]) -> Iterator[None]:
        """While the block runs, have the thread that fires the signal call ``callback``.

        Args:
            callback: must not raise, and may be called twice.
        """
        self._callbacks.add(callback)
        try:
            if self.fired:
                callback()
            yield
        finally:
            self._callbacks.discard(callback)


class _Wait:
    """One place that waits under a guard; reused for many waits, one at a time."""

    __slots__ = ("_cancelling", "_interrupted", "_signal", "_task")

    def __init__(self, signal: CancelSignal) -> None:
        self._signal = signal
        self._interrupted = False

    async def run(self, awaitable: Awaitable[T], *, keep_late_result: bool = True) -> T:
        """Await something.

        Args:
            awaitable: what is awaited.
            keep_late_result: return a result that arrived together with the signal.
        """
        signal = self._signal
        # With the loop as argument, current_task is three times as fast.
        task = current_task(get_running_loop())
        if task is None:
            raise RuntimeError("a CancelSignal can only guard what is awaited inside a task")
        self._task, self._cancelling = task, task.cancelling()
        signal.waits.add(self)
        if signal.fired:
            self._end()
            _discard(awaitable)
            raise RunCancelled
        try:
            result = await awaitable
        except BaseException as error:
            if self._end() and isinstance(error, Exception | asyncio.CancelledError):
                raise RunCancelled from error
            raise
        signal.waits.discard(self)
        if signal.fired:
            self._end()
            if not keep_late_result:
                raise RunCancelled
        return result

    def interrupt(self) -> None:
        """Have the task's own loop cancel it: it may belong to another thread."""
        with suppress(RuntimeError):  # the loop is closed, so nothing waits any more
            self._task.get_loop().call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        if self in self._signal.waits and not self._interrupted:
            self._interrupted = True
            self._task.cancel()

    def _end(self) -> bool:
        """End the wait; return whether the signal, and nothing else, interrupted it."""
        self._signal.waits.discard(self)
        if not self._interrupted:
            return False
        self._interrupted = False
        return self._task.uncancel() <= self._cancelling


class _Guarded(Generic[T]):
    """An asynchronous iterator over a stream whose reads are guarded by a signal."""

    __slots__ = ("_reader", "_wait")

    def __init__(self, signal: CancelSignal, stream: AsyncIterable[T]) -> None:
        self._reader, self._wait = aiter(stream), _Wait(signal)

    def __aiter__(self) -> Self:
        return self

    def __anext__(self) -> Coroutine[Any, Any, T]:
        return self._wait.run(anext(self._reader), keep_late_result=False)


class CancellationRegistry:
    """The signals of the runs in progress, by run id."""

    def __init__(self) -> None:
        self._signals: dict[str, CancelSignal] = {}

    def create(self, run_id: str) -> CancelSignal:
        """Return a new signal; it replaces one of the same id."""
        signal = self._signals[run_id] = CancelSignal()
        return signal

    def get(self, run_id: str) -> CancelSignal | None:
        """Return the signal of a run in progress, or None."""
        return self._signals.get(run_id)

    def fire(self, run_id: str) -> bool:
        """Cancel a run; return whether it was in progress."""
        signal = self._signals.get(run_id)
        if signal is not None:
            signal.fire()
        return signal is not None

    def fire_all(self) -> None:
        """Cancel every run in progress, before the process ends."""
        for signal in list(self._signals.values()):
            signal.fire()

    def remove(self, run_id: str, signal: CancelSignal | None = None) -> None:
        """Remove a run.

        Args:
            run_id: the run; an unknown one is ignored.
            signal: the signal to remove; a newer one of the same id is kept.
        """
        if signal is None or self._signals.get(run_id) is signal:
            self._signals.pop(run_id, None)

    @asynccontextmanager
    async def registered(self, run_id: str) -> AsyncIterator[CancelSignal]:
        """Register a new signal for a run while the block runs."""
        signal = self.create(run_id)
        try:
            yield signal
        finally:
            self.remove(run_id, signal)

    def __len__(self) -> int:
        return len(self._signals)


def _discard(awaitable: Awaitable[Any]) -> None:
    """Discard what will not be awaited: a coroutine would warn, a task would run on."""
    end = getattr(awaitable, "cancel" if asyncio.isfuture(awaitable) else "close", None)
    if end is not None:
        end()
