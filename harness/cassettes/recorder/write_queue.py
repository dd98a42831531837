"""The scribe takes down what has passed, in small portions between the turns of the loop.

Rules of this file: whoever forwards bytes hands them here and goes on; the scribe writes when
nothing comes, or when something has waited long: a client may still be busy with what has passed,
and on few cores the scribe's work would be at its cost. A portion is small enough that nobody waits
for it; when too much is waiting, those who read from the network are asked to rest, so memory
stays bounded.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.cassettes.cassette import StreamEnd
    from harness.cassettes.recorder.exchange_recorder import ExchangeRecorder

PORTION = 4096  # bytes that are taken down at once; half a millisecond's work
FULL = 4 * 1024 * 1024  # bytes waiting
QUIET = 0.25  # seconds without a read: nobody is in a hurry
PATIENCE = 0.01  # seconds between two looks whether that is so
LATEST = 1.0  # seconds after which a portion is taken down, whatever comes


class _Portion(NamedTuple):
    tape: ExchangeRecorder
    data: bytes
    offset: float
    last: bool
    came: float
    end: StreamEnd | None = None


class WriteQueue:
    """Takes down what is put to it, in order."""

    def __init__(self) -> None:
        self.failed: Exception | None = None
        self._portions: deque[_Portion] = deque()
        self._waiting = 0  # bytes
        self._ends = 0  # exchanges that broke off: somebody waits to hear it
        self._came = 0.0  # the last read
        self._some = asyncio.Event()
        self._resting: list[Callable[[], None]] = []
        self._task = asyncio.get_running_loop().create_task(self._write())

    @property
    def full(self) -> bool:
        """Whether those who read from the network should rest."""
        return self._waiting > FULL

    def rest(self, resume: Callable[[], None]) -> None:
        """Call somebody back when there is room again."""
        self._resting.append(resume)

    def put(self, tape: ExchangeRecorder, data: bytes, offset: float) -> None:
        """Hand over one network read."""
        self._came = now = monotonic()
        size = len(data)
        for start in range(0, size, PORTION):
            piece = data if size <= PORTION else data[start : start + PORTION]
            self._portions.append(_Portion(tape, piece, offset, start + PORTION >= size, now))
        self._waiting += size
        self._some.set()

    def end(self, tape: ExchangeRecorder, end: StreamEnd) -> None:
        """Hand over that an exchange broke off."""
        self._ends += 1
        self._portions.append(_Portion(tape, b"", 0.0, last=True, came=0.0, end=end))
        self._some.set()

    async def close(self) -> None:
        """Take down the rest."""
        while self._portions and self.failed is None:
            self._one()
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _write(self) -> None:
        while True:
            await self._some.wait()
            while self._hurried():  # noqa: ASYNC110 - silence is no event
                await asyncio.sleep(PATIENCE)
            self._one()
            if not self._portions:
                self._some.clear()
            await asyncio.sleep(0)

    def _hurried(self) -> bool:
        """Say whether a client may still be busy, and what waits may wait on."""
        if self._ends or self._waiting > FULL // 4:
            return False
        now = monotonic()
        return now - self._came < QUIET and now - self._portions[0].came < LATEST

    def _one(self) -> None:
        """Take down one portion, or as many small ones of the same tape as make one."""
        tape, size = self._portions[0].tape, 0
        try:
            while self._portions and self._portions[0].tape is tape and size < PORTION:
                portion = self._portions.popleft()
                size += len(portion.data)
                self._take(portion)
            tape.keep()
        except Exception as error:  # noqa: BLE001 - kept for whoever closes; streams must go on
            self.failed = self.failed or error
            tape.give_up()
        self._waiting -= size
        if self._waiting < FULL // 2:
            for resume in self._resting:
                resume()
            self._resting.clear()

    def _take(self, portion: _Portion) -> None:
        if portion.end is not None:
            self._ends -= 1
            portion.tape.end(portion.end)
        else:
            portion.tape.take(portion.data, portion.offset, last=portion.last)
