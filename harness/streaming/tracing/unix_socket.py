"""Writes traces to a local collector over a Unix socket: one JSON object per line.

::

    {"protocol_version": 1, "status": "ok" | "error", "trace": {…}}

Rules of this file: a writer never waits for the collector, its record is added to a bounded queue
that one task sends from; when the queue is full, the oldest record is dropped, counted and
reported; after a broken connection the unfinished record is sent again completely, so a collector
must discard a line without its end and may receive a record twice. Nothing is acknowledged: a
record counts as sent when the kernel has all of it. An error of any form is an ``error`` (D88).
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from harness.errors import HarnessError, InputError
from harness.streaming.tracing.backend import write_only
from harness.streaming.tracing.trace import ProviderTrace

if TYPE_CHECKING:
    from typing import NoReturn

PROTOCOL_VERSION = 1  # of the record above; a receiver refuses any other version
QUEUE = 1000
FLUSH_S = 2.0
RETRY_S = 0.5


def record_of(trace: ProviderTrace) -> bytes:
    """Return the line of a trace."""
    status = "ok" if trace.failure is None else "error"
    return (
        f'{{"protocol_version":{PROTOCOL_VERSION},"status":"{status}","trace":{trace.to_json()}}}\n'
    ).encode("ascii")


def trace_of(line: bytes) -> ProviderTrace:
    """Read a line, as a collector does.

    Raises:
        InputError: it is not a trace record, or has another version.
    """
    try:
        record = json.loads(line)
        version = record["protocol_version"]
        trace = record["trace"]
    except (ValueError, LookupError, TypeError):
        raise InputError("not a trace record: protocol_version and trace are required") from None
    if version != PROTOCOL_VERSION:
        raise InputError(
            f"a trace record of version {version!r}; this reader supports {PROTOCOL_VERSION}"
        )
    return ProviderTrace.from_json(json.dumps(trace))


class SocketTraces:
    """Writes traces to a Unix socket.

    Args:
        path: the collector's socket.
        queue: the largest number of records that wait.
        flush: the longest time in seconds that ``aclose`` waits until they are sent.
        retry: seconds between two attempts to connect.
    """

    def __init__(
        self, path: str, queue: int = QUEUE, flush: float = FLUSH_S, retry: float = RETRY_S
    ):
        self.name = f"unix:{path}"
        self.dropped = 0
        self._path, self._queue, self._flush, self._retry = path, queue, flush, retry
        self._waiting: deque[bytes] = deque()
        self._sending: bytes | None = None
        self._wake = asyncio.Event()  # a record was added, or the queue was closed
        self._closing = False
        self._failure: str | None = None
        self._sender: asyncio.Task[None] | None = None

    @property
    def unsent(self) -> int:
        """How many records the kernel does not have yet."""
        return len(self._waiting) + (self._sending is not None)

    async def create(self, trace: ProviderTrace) -> None:
        """Queue one trace.

        Raises:
            HarnessError: the trace is queued, but older ones were dropped or wait because the
                collector cannot be reached.
        """
        if self._closing:
            raise HarnessError(f"{self.name} is closed")
        full = len(self._waiting) >= self._queue
        if full:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(record_of(trace))
        self._wake.set()
        self._sender = self._sender or asyncio.create_task(self._send_all())
        if full or self._failure:
            raise HarnessError(self._state())

    async def read(self, step_id: str) -> NoReturn:  # noqa: ARG002 - the protocol's argument
        """Raise: a collector cannot be read."""
        write_only(self.name)

    async def aclose(self) -> None:
        """Send what waits, for at most ``flush`` seconds.

        Raises:
            HarnessError: not everything was sent.
        """
        self._closing = True
        self._wake.set()
        if self._sender is not None:
            try:
                await asyncio.wait({self._sender}, timeout=self._flush)
            finally:
                self._sender.cancel()
            await asyncio.wait({self._sender})
        if self.unsent:
            raise HarnessError(self._state())

    def _state(self) -> str:
        parts = [f"{self.unsent} records not sent", f"{self.dropped} dropped so far"]
        return "; ".join([*parts, *([self._failure] if self._failure else [])])

    async def _send_all(self) -> None:
        """Send until the queue is closed and empty; reconnect after a broken connection."""
        while await self._next():
            try:
                await self._send_over_one_connection()
            except OSError as error:
                self._failure = f"{type(error).__name__}: {error}"
                await asyncio.sleep(self._retry)

    async def _next(self) -> bool:
        """Wait for the next record; return False if the queue is closed and empty."""
        while self._sending is None:
            if self._waiting:
                self._sending = self._waiting.popleft()
            elif self._closing:
                return False
            else:
                self._wake.clear()
                await self._wake.wait()
        return True

    async def _send_over_one_connection(self) -> None:
        _, writer = await asyncio.open_unix_connection(self._path)
        writer.transport.set_write_buffer_limits(
            high=0
        )  # so that drain returns when the kernel has it
        try:
            while await self._next():
                writer.write(self._sending or b"")
                await writer.drain()
                self._sending = self._failure = None
        finally:
            writer.transport.abort()  # all is sent, or the collector accepts nothing more
            with suppress(OSError):
                await writer.wait_closed()
