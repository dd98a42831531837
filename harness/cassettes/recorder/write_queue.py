"""The write queue: forwarded bytes wait here and are recorded in small portions.

Theory of operation: recording runs on the event loop that forwards the bytes, and on few cores it
competes with the client for the processor. So a connection only queues its bytes; one task records
them when no read has come for a while, or when a portion has waited long. A portion is small, so
forwarding is never delayed by more than half a millisecond. When too many bytes are queued the
connections pause reading until the queue has drained, so memory stays bounded.
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

PORTION = 4096  # bytes recorded at once; half a millisecond of work
MAX_SIZE = 4 * 1024 * 1024  # queued bytes above which connections pause
QUIET_S = 0.25  # seconds without a read after which recording starts
POLL_S = 0.01  # seconds between two checks for that
MAX_DELAY_S = 1.0  # seconds after which a portion is recorded in any case


class _Portion(NamedTuple):
    recorder: ExchangeRecorder
    data: bytes
    offset: float
    last: bool
    queued_at: float
    end: StreamEnd | None = None


class WriteQueue:
    """Records what is put into it, in order.

    ``error`` is the first error while recording; later exchanges are still recorded.
    """

    def __init__(self) -> None:
        self.error: Exception | None = None
        self._portions: deque[_Portion] = deque()
        self._size = 0  # bytes queued
        self._urgent = 0  # queued ends of exchanges: a connection waits for each
        self._last_read = 0.0  # monotonic seconds
        self._not_empty = asyncio.Event()
        self._on_drained: list[Callable[[], None]] = []
        self._task = asyncio.get_running_loop().create_task(self._write())

    @property
    def full(self) -> bool:
        """Whether connections should pause reading."""
        return self._size > MAX_SIZE

    def call_when_drained(self, resume: Callable[[], None]) -> None:
        """Call a function once, when connections may read again."""
        self._on_drained.append(resume)

    def put(self, recorder: ExchangeRecorder, data: bytes, offset: float) -> None:
        """Queue one network read.

        Args:
            recorder: the recorder of its exchange.
            data: the bytes.
            offset: when they came, in seconds since the request was sent.
        """
        self._last_read = now = monotonic()
        size = len(data)
        for start in range(0, size, PORTION):
            piece = data if size <= PORTION else data[start : start + PORTION]
            self._portions.append(_Portion(recorder, piece, offset, start + PORTION >= size, now))
        self._size += size
        self._not_empty.set()

    def end(self, recorder: ExchangeRecorder, end: StreamEnd) -> None:
        """Queue the end of a connection."""
        self._urgent += 1
        self._portions.append(_Portion(recorder, b"", 0.0, last=True, queued_at=0.0, end=end))
        self._not_empty.set()

    async def close(self) -> None:
        """Record what is queued, then stop."""
        while self._portions and self.error is None:
            self._write_portion()
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _write(self) -> None:
        while True:
            await self._not_empty.wait()
            while self._should_wait():  # noqa: ASYNC110 - the absence of reads is not an event
                await asyncio.sleep(POLL_S)
            self._write_portion()
            if not self._portions:
                self._not_empty.clear()
            await asyncio.sleep(0)

    def _should_wait(self) -> bool:
        """Return whether clients may be busy and no portion is overdue."""
        if self._urgent or self._size > MAX_SIZE // 4:
            return False
        now = monotonic()
        return now - self._last_read < QUIET_S and now - self._portions[0].queued_at < MAX_DELAY_S

    def _write_portion(self) -> None:
        """Record one portion, or as many small ones of the same exchange as make one."""
        recorder, size = self._portions[0].recorder, 0
        try:
            while self._portions and self._portions[0].recorder is recorder and size < PORTION:
                portion = self._portions.popleft()
                size += len(portion.data)
                self._apply(portion)
            recorder.flush()
        except Exception as error:  # noqa: BLE001 - raised when the recording ends; streams go on
            self.error = self.error or error
            recorder.abandon()
        self._size -= size
        if self._size < MAX_SIZE // 2:
            for resume in self._on_drained:
                resume()
            self._on_drained.clear()

    def _apply(self, portion: _Portion) -> None:
        if portion.end is not None:
            self._urgent -= 1
            portion.recorder.end(portion.end)
        else:
            portion.recorder.feed(portion.data, portion.offset, last=portion.last)
