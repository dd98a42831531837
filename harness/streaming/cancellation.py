"""Cancelling a run: a signal that reaches the one place that waits for the provider.

The manner is that of ``asyncio.timeout``: a fired signal cancels the task that waits under its
guard, and the guard turns that cancellation, and no other, into ``RunCancelled``. So a silent
provider is left at once, by the task that reads it, and every ``finally`` on the way runs.

Rules of this file: nothing is polled, no task is made; a cancellation that is not ours passes as
``CancelledError``, also where both come at the same moment; a signal may be fired from any thread
and as often as one likes; who waits first makes himself known and then looks whether it has fired,
who fires does it the other way round, so nobody is missed; nothing is left behind.
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
    """Says once, to everybody who waits under its guard, that the run is cancelled.

    ``fired`` tells whether it has been said; it never becomes False again. ``waits`` holds those
    who wait right now.
    """

    __slots__ = ("_callbacks", "fired", "waits")

    def __init__(self) -> None:
        self.fired = False
        self.waits: set[_Wait] = set()
        self._callbacks: set[Callable[[], None]] = set()

    def fire(self) -> None:
        """Cancel whatever waits under the guard, now and later; may be called from any thread."""
        if self.fired:
            return
        self.fired = True
        for wait in self.waits.copy():
            wait.interrupt()
        for callback in self._callbacks.copy():
            callback()

    def guard(self, awaitable: Awaitable[T]) -> Coroutine[Any, Any, T]:
        """Await something, but not beyond the firing of the signal.

        A result that came all the same is returned, so that nothing that was opened is lost;
        ``fired`` tells.

        Raises:
            RunCancelled: the signal has fired, before or meanwhile.
            CancelledError: somebody else cancelled the task.
        """
        return _Wait(self).hold(awaitable)

    def reading(self, stream: AsyncIterable[T]) -> AsyncIterator[T]:
        """Return an iterator over a stream that raises ``RunCancelled`` once the signal fired.

        It ends no stream: that is left to whoever reads it.
        """
        return _Guarded(self, stream)

    @contextmanager
    def calling(self, callback: Callable[[], None]) -> Iterator[None]:
        """Have the thread that fires the signal call something, while the block runs.

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
    """A place that waits under a guard, once or many times, one at a time.

    Leaving a wait tells our cancellation from anybody else's, as ``asyncio.timeout`` does: by the
    number of cancellations that are still asked for.
    """

    __slots__ = ("_cancelling", "_interrupted", "_signal", "_task")

    def __init__(self, signal: CancelSignal) -> None:
        self._signal = signal
        self._interrupted = False

    async def hold(self, awaitable: Awaitable[T], *, stale: bool = True) -> T:
        """Await something; a result that came together with the signal counts only if ``stale``."""
        signal, task = (
            self._signal,
            current_task(get_running_loop()),
        )  # three times as fast as without
        if task is None:
            raise RuntimeError("a signal guards what is awaited in a task; there is none here")
        self._task, self._cancelling = task, task.cancelling()
        signal.waits.add(self)
        if signal.fired:
            self._leave()
            _discard(awaitable)
            raise RunCancelled
        try:
            result = await awaitable
        except BaseException as error:
            if self._leave() and isinstance(error, Exception | asyncio.CancelledError):
                raise RunCancelled from error
            raise
        signal.waits.discard(self)
        if signal.fired:
            self._leave()
            if not stale:
                raise RunCancelled
        return result

    def interrupt(self) -> None:
        """Have the task cancelled by its own loop: it may be running, or be of another thread."""
        with suppress(RuntimeError):  # the loop is closed, so nobody waits any more
            self._task.get_loop().call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        if self in self._signal.waits and not self._interrupted:
            self._interrupted = True
            self._task.cancel()

    def _leave(self) -> bool:
        """End the wait; tell whether it was interrupted by the signal and by nobody else."""
        self._signal.waits.discard(self)
        if not self._interrupted:
            return False
        self._interrupted = False
        return self._task.uncancel() <= self._cancelling


class _Guarded(Generic[T]):
    """An asynchronous iterator over a stream that ends with the signal."""

    __slots__ = ("_reader", "_wait")

    def __init__(self, signal: CancelSignal, stream: AsyncIterable[T]) -> None:
        self._reader, self._wait = aiter(stream), _Wait(signal)

    def __aiter__(self) -> Self:
        return self

    def __anext__(self) -> Coroutine[Any, Any, T]:
        return self._wait.hold(anext(self._reader), stale=False)


class CancellationRegistry:
    """The signals of the runs that are going on, by run id."""

    def __init__(self) -> None:
        self._signals: dict[str, CancelSignal] = {}

    def create(self, run_id: str) -> CancelSignal:
        """Return a new signal; an old one of the same id is forgotten, fired or not."""
        signal = self._signals[run_id] = CancelSignal()
        return signal

    def get(self, run_id: str) -> CancelSignal | None:
        """Return the signal of a run that is going on."""
        return self._signals.get(run_id)

    def fire(self, run_id: str) -> bool:
        """Cancel a run; tells whether there was one."""
        signal = self._signals.get(run_id)
        if signal is not None:
            signal.fire()
        return signal is not None

    def fire_all(self) -> None:
        """Cancel every run that is going on: the process is about to end."""
        for signal in list(self._signals.values()):
            signal.fire()

    def remove(self, run_id: str, signal: CancelSignal | None = None) -> None:
        """Forget a run.

        Args:
            run_id: a run; an unknown one is nothing to complain about.
            signal: the signal to forget; a newer one of the same id is kept.
        """
        if signal is None or self._signals.get(run_id) is signal:
            self._signals.pop(run_id, None)

    @asynccontextmanager
    async def watching(self, run_id: str) -> AsyncIterator[CancelSignal]:
        """Keep a signal for a run while the block runs."""
        signal = self.create(run_id)
        try:
            yield signal
        finally:
            self.remove(run_id, signal)

    def __len__(self) -> int:
        return len(self._signals)


def _discard(awaitable: Awaitable[Any]) -> None:
    """Drop what will not be awaited: a coroutine would complain, a task would run on."""
    end = getattr(awaitable, "cancel" if asyncio.isfuture(awaitable) else "close", None)
    if end is not None:
        end()
