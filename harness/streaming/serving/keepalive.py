"""Signs of life in a stream that is silent.

A ping has to come out while the source is still being waited for, so the source needs a task of its
own; everything here follows from keeping that task honest.

Rules of this file: one task reads the source, item by item and only when asked, and closes it; what
the source raises comes out as the same object; whoever leaves, at whatever moment, waits until that
task is done, so none is left behind; nothing is sent while the source speaks.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from math import isfinite
from typing import TYPE_CHECKING, Protocol

from harness.errors import InputError
from harness.streaming.abort import close_source, joined

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable


class Timer(Protocol):
    """What can be called off: an ``asyncio.TimerHandle``, or a test's own."""

    def cancel(self) -> None:
        """Call it off; if it has gone off, nothing happens."""


if TYPE_CHECKING:
    CallLater = Callable[[float, Callable[[], None]], Timer]


def with_keepalive(
    source: AsyncIterator[bytes],
    interval: float,
    ping: Callable[[], bytes],
    call_later: CallLater | None = None,
) -> AsyncGenerator[bytes, None]:
    """Return the source's items, with a ping after each interval in which none came.

    The source is not touched before the first item is asked for, and is closed by the task that
    reads it. A reader that leaves while an item is being waited for cancels that wait.

    Args:
        source: what is to be kept alive.
        interval: seconds of silence, above 0.
        ping: makes the bytes of a ping, when it is sent.
        call_later: a clock, ``loop.call_later`` unless given.

    Raises:
        InputError: the interval is no time.
    """
    if not (isfinite(interval) and interval > 0):
        raise InputError(f"a keepalive interval is seconds above 0, not {interval!r}")
    return _alive(source, interval, ping, call_later)


async def _alive(
    source: AsyncIterator[bytes],
    interval: float,
    ping: Callable[[], bytes],
    call_later: CallLater | None,
) -> AsyncGenerator[bytes, None]:
    pump = _Pump(source, call_later or asyncio.get_running_loop().call_later)
    try:
        while True:
            pump.ask()
            while not await pump.answered(interval):
                yield ping()
            if pump.ended:
                break
            yield pump.item
    except asyncio.CancelledError:
        with suppress(Exception):  # what the clean-up raises must not hide the cancellation
            await pump.aclose()
        raise
    finally:
        await pump.aclose()
    pump.result()


class _Pump:
    """The task that reads a source, and the two signals between it and its reader.

    Args:
        source: what it reads, and closes.
        call_later: the clock of the reader's patience.
    """

    item: bytes

    def __init__(self, source: AsyncIterator[bytes], call_later: CallLater):
        self._source, self._call_later = source, call_later
        self._asked = asyncio.Event()
        self._heard = asyncio.Event()  # an item has come, or the end, or patience has run out
        self._answered = self._leaving = False
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(self._end)

    @property
    def ended(self) -> bool:
        """Whether no item will come any more."""
        return self._task.done()

    def ask(self) -> None:
        """Let the task read the next item."""
        self._answered = False
        self._asked.set()

    async def answered(self, patience: float) -> bool:
        """Wait for the item asked for, or the end; False where patience ran out before."""
        if not self._answered:
            self._heard.clear()
            timer = self._call_later(patience, self._heard.set)
            try:
                await self._heard.wait()
            finally:
                timer.cancel()
        return self._answered

    def result(self) -> None:
        """Raise what the source raised."""
        self._task.result()

    async def aclose(self) -> None:
        """Stop the task, wherever it is, and wait for it.

        Raises:
            Exception: the source failed while it was being closed.
            CancelledError: the reader was cancelled meanwhile.
        """
        if self.ended:
            return
        self._leaving = True
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
        """Give the reader an item and wait until the next is asked for."""
        if self._leaving:
            raise asyncio.CancelledError  # the source took no notice of its own
        self.item = item
        self._answer()
        self._asked.clear()
        await self._asked.wait()

    def _answer(self) -> None:
        self._answered = True
        self._heard.set()

    def _end(self, task: asyncio.Task[None]) -> None:
        """Answer with the end; a failure counts as seen, though a reader who left never asks."""
        if not task.cancelled():
            task.exception()
        self._answer()
