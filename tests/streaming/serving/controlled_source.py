"""A timer and a source that the test controls, to check pings without real time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import anyio

from harness.streaming.serving.keepalive import with_keepalive

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

PING = b"ping"
NEVER = 3600.0


class Handle:
    """A timer that the test fires."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback, self.cancelled = callback, False

    def cancel(self) -> None:
        self.cancelled = True


class Clock:
    """A clock whose timers the test fires."""

    def __init__(self) -> None:
        self.timers: list[Handle] = []
        self.intervals: list[float] = []

    def __call__(self, interval: float, callback: Callable[[], None]) -> Handle:
        self.intervals.append(interval)
        self.timers.append(Handle(callback))
        return self.timers[-1]

    @property
    def running(self) -> list[Handle]:
        return [timer for timer in self.timers if not timer.cancelled]

    async def pass_interval(self) -> None:
        await settle()
        [timer] = self.running
        timer.callback()
        await settle()


class Source:
    """A source whose items the test puts; records which tasks read and close it."""

    def __init__(self, *items: bytes | BaseException) -> None:
        self.waiting: asyncio.Queue[bytes | BaseException | None] = asyncio.Queue()
        self.readers: list[asyncio.Task[Any] | None] = []
        self.read = 0
        self.ended_with: BaseException | None = None
        for item in items:
            self.waiting.put_nowait(item)

    def end(self) -> None:
        self.waiting.put_nowait(None)

    async def items(self) -> AsyncGenerator[bytes, None]:
        try:
            with anyio.CancelScope():  # raises if another task leaves it
                while (item := await self.waiting.get()) is not None:
                    self.readers.append(asyncio.current_task())
                    self.read += 1
                    yield raise_or_return(item)
        except BaseException as error:
            self.ended_with = error
            raise
        finally:
            self.readers.append(asyncio.current_task())


def raise_or_return(item: bytes | BaseException) -> bytes:
    if isinstance(item, BaseException):
        raise item
    return item


async def settle() -> None:
    """Let all tasks run that can."""
    for _ in range(8):
        await asyncio.sleep(0)


def pinged_source(source: Source, clock: Clock) -> AsyncGenerator[bytes, None]:
    return with_keepalive(source.items(), NEVER, lambda: PING, clock)


def no_task_left() -> bool:
    return asyncio.all_tasks() == {asyncio.current_task()}
