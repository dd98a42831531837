"""Pings in a stream that is silent.

A ping is sent while the source is still being waited for, so a task of its own reads the source.

Rules of this file: one task reads the source, item by item and only on demand, and closes it; an
exception of the source reaches the consumer as the same object; a consumer that aborts, at any
moment, waits until that task is done, so no task is left over; no ping is sent while an item is
ready.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from math import isfinite
from typing import TYPE_CHECKING, Protocol

from harness.errors import InputError
from harness.streaming.closing import close_source, joined

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable


class Timer(Protocol):
    """A timer that can be cancelled, such as ``asyncio.TimerHandle``."""

    def cancel(self) -> None:
        """Cancel it; does nothing after it has fired."""


if TYPE_CHECKING:
    CallLater = Callable[[float, Callable[[], None]], Timer]


def with_keepalive(
    source: AsyncIterator[bytes],
    interval: float,
    ping: Callable[[], bytes],
    call_later: CallLater | None = None,
) -> AsyncGenerator[bytes, None]:
    """Return the source's items, with a ping after each interval in which none came.

    The source is not started before the first item is requested, and the task that reads it closes
    it. A consumer that aborts while an item is being waited for cancels that wait.

    Args:
        source: the items.
        interval: seconds of silence, above 0.
        ping: returns the bytes of a ping; called when it is sent.
        call_later: the timer, ``loop.call_later`` by default.

    Raises:
        InputError: the interval is not a positive number of seconds.
    """
    if not (isfinite(interval) and interval > 0):
        raise InputError(
            f"the keepalive interval must be a positive number of seconds, not {interval!r}"
        )
    return _with_keepalive(source, interval, ping, call_later)


async def _with_keepalive(
    source: AsyncIterator[bytes],
    interval: float,
    ping: Callable[[], bytes],
    call_later: CallLater | None,
) -> AsyncGenerator[bytes, None]:
    pump = _Pump(source, call_later or asyncio.get_running_loop().call_later)
    try:
        while True:
            pump.request()
            while not await pump.wait(interval):
                yield ping()
            if pump.ended:
                break
            yield pump.item
    except asyncio.CancelledError:
        with suppress(Exception):  # an error of the clean-up must not hide the cancellation
            await pump.aclose()
        raise
    finally:
        await pump.aclose()
    pump.result()


class _Pump:
    """The task that reads a source, and the two events between it and its consumer.

    Args:
        source: read and closed by the task.
        call_later: the timer of the consumer's waits.
    """

    item: bytes

    def __init__(self, source: AsyncIterator[bytes], call_later: CallLater):
        self._source, self._call_later = source, call_later
        self._requested = asyncio.Event()
        self._woken = asyncio.Event()  # an item or the end has come, or the interval is over
        self._ready = self._closing = False
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(self._set_ended)

    @property
    def ended(self) -> bool:
        """Whether no item will come any more."""
        return self._task.done()

    def request(self) -> None:
        """Let the task read the next item."""
        self._ready = False
        self._requested.set()

    async def wait(self, interval: float) -> bool:
        """Wait for the requested item or the end; return False if the interval ended first."""
        if not self._ready:
            self._woken.clear()
            timer = self._call_later(interval, self._woken.set)
            try:
                await self._woken.wait()
            finally:
                timer.cancel()
        return self._ready

    def result(self) -> None:
        """Raise the exception of the source, if there is one."""
        self._task.result()

    async def aclose(self) -> None:
        """Stop the task, wherever it is, and wait for it.

        Raises:
            Exception: the source failed while it was being closed.
            CancelledError: the consumer was cancelled meanwhile.
        """
        if self.ended:
            return
        self._closing = True
        self._task.cancel()
        await joined(self._task)
        if not self._task.cancelled():
            self._task.result()

    async def _run(self) -> None:
        try:
            async for item in self._source:
                await self._hand_over(item)
        finally:
            await close_source(self._source)

    async def _hand_over(self, item: bytes) -> None:
        """Give the consumer an item and wait until the next one is requested."""
        if self._closing:
            raise asyncio.CancelledError  # the source ignored its cancellation
        self.item = item
        self._set_ready()
        self._requested.clear()
        await self._requested.wait()

    def _set_ready(self) -> None:
        self._ready = True
        self._woken.set()

    def _set_ended(self, task: asyncio.Task[None]) -> None:
        """Wake the consumer; mark an exception as retrieved, as an aborted consumer never asks."""
        if not task.cancelled():
            task.exception()
        self._set_ready()
