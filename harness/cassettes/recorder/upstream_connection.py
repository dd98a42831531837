"""One connection to a server: bytes are forwarded to the client, then queued for recording.

Rules of this file: bytes are forwarded unchanged, framing included, so recording adds no latency;
it reads no faster than the client and the write queue can follow.
"""

from __future__ import annotations

import asyncio
import socket
from time import perf_counter
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.cassettes.recorder.exchange_recorder import ExchangeRecorder
    from harness.cassettes.recorder.write_queue import WriteQueue

_CLIENT, _QUEUE = "client", "queue"


class UpstreamConnection(asyncio.Protocol):
    """The recorder's end of a connection to a server.

    Args:
        client: where bytes are forwarded to.
        queue: where bytes are queued for recording.
    """

    _transport: asyncio.Transport

    def __init__(self, client: asyncio.Transport, queue: WriteQueue) -> None:
        self._client, self._queue = client, queue
        self._recorder: ExchangeRecorder | None = None
        self._sent_at = 0.0
        self._pause_reasons: set[str] = set()  # readers that are too slow
        self._started: asyncio.Future[bool] | None = None
        self._on_lost: Callable[[], None] = lambda: None
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Set up the socket."""
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("socket")
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def send(self, message: bytes, recorder: ExchangeRecorder) -> bool:
        """Send a request; return whether a response started before the connection was lost.

        Args:
            message: the request's bytes.
            recorder: the recorder of the exchange.
        """
        self._recorder = recorder
        self._started = asyncio.get_running_loop().create_future()
        self._transport.write(message)
        self._sent_at = perf_counter()
        return await self._started

    def data_received(self, data: bytes) -> None:
        """Forward, then queue."""
        self._client.write(data)
        if self._recorder is None:
            return
        self._queue.put(self._recorder, data, perf_counter() - self._sent_at)
        self._set_started(started=True)
        if self._queue.full:
            self.pause_reading(_QUEUE)
            self._queue.call_when_drained(lambda: self.resume_reading(_QUEUE))

    def connection_lost(self, _: Exception | None) -> None:
        """Report the end of the connection."""
        self.lost = True
        self._set_started(started=False)
        self._on_lost()

    def on_lost(self, callback: Callable[[], None]) -> None:
        """Call a function when the connection is lost; at once if it is."""
        self._on_lost = callback
        if self.lost:
            callback()

    def pause_reading(self, reason: str = _CLIENT) -> None:
        """Stop reading until ``resume_reading`` is called for the same reason."""
        self._pause_reasons.add(reason)
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_reading(self, reason: str = _CLIENT) -> None:
        """Read again, unless another reason to pause remains."""
        self._pause_reasons.discard(reason)
        if not self._pause_reasons and not self._transport.is_closing():
            self._transport.resume_reading()

    def close(self) -> None:
        """Abort the connection: the client disconnected, or the recording ends."""
        self._transport.abort()

    def _set_started(self, *, started: bool) -> None:
        if self._started is not None and not self._started.done():
            self._started.set_result(started)
