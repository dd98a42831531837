"""One client's connection: requests in, scripted responses out, one after the other.

Rules of this file: one read of the cut plan is one chunk of the chunked coding (RFC 9112, 7.1) and
one write to the socket; control returns to the event loop before each read, so that a disconnect
is noticed there; the side that ends an exchange is logged before the connection is touched.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from http.client import responses
from typing import TYPE_CHECKING, ClassVar, cast

import h11

from harness.playback.response_registry import MAX_BODY, Exchange, Request

if sys.platform == "linux":
    import fcntl
    import termios

if TYPE_CHECKING:
    from harness.playback.response_registry import ResponseRegistry

_NO_LINGER = struct.pack("ii", 1, 0)  # close at once, with RST instead of FIN
_POLL_S = 0.001  # seconds between two checks of the kernel's send queue


class Connection(asyncio.Protocol):
    """The server's end of one connection.

    Args:
        registry: the scripts.
        peers: the open connections of the server; this one is a member while it is open.
    """

    _transport: asyncio.Transport
    _request: h11.Request

    def __init__(self, registry: ResponseRegistry, peers: set[Connection]) -> None:
        self._registry, self._peers = registry, peers
        self._http = h11.Connection(h11.SERVER)
        self._body = bytearray()
        self._exchange: Exchange | None = None
        self._sending: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register the connection and switch off buffering, ours and the kernel's.

        asyncio sets TCP_NODELAY only on sockets that name their protocol, and those of
        ``create_server`` do not: without it the first chunk waits 40 ms for the head to be
        acknowledged.
        """
        self._transport = cast("asyncio.Transport", transport)
        peer = self._transport.get_extra_info("socket")
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._transport.set_write_buffer_limits(high=0)
        self._peers.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        """Log the disconnect and stop sending."""
        self._peers.discard(self)
        if self._exchange:
            self._exchange.record_close("client")
        if self._sending:
            self._sending.cancel()
        self._lost.set()

    def eof_received(self) -> None:
        """Treat a half-closed connection as closed; no provider SDK half-closes."""
        self._transport.abort()

    def pause_writing(self) -> None:
        """Stop writing: the kernel's send buffer is full."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Write again: the buffers are empty."""
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        """Read request bytes."""
        self._http.receive_data(data)
        self._read_requests()

    async def close(self) -> None:
        """Close the connection and wait until its task has ended."""
        if self._exchange:
            self._exchange.record_close("server")
        self._transport.abort()
        await self._lost.wait()
        if self._sending:
            await asyncio.wait([self._sending])

    def _read_requests(self) -> None:
        """Read until a request is complete; during a response h11 returns PAUSED."""
        try:
            while self._handle_event(self._http.next_event()):
                pass
        except h11.RemoteProtocolError as error:
            self._refuse(error)

    def _handle_event(self, event: type[h11.NEED_DATA | h11.PAUSED] | h11.Event) -> bool:
        if isinstance(event, h11.Request):
            self._request = event
            self._body.clear()
            if self._http.they_are_waiting_for_100_continue:
                self._write_event(h11.InformationalResponse(status_code=100, headers=[]))
        elif isinstance(event, h11.Data):
            self._body += event.data[: MAX_BODY - len(self._body)]
        elif isinstance(event, h11.EndOfMessage):
            self._start(self._registry.respond(self._received_request()))
        return isinstance(event, h11.Request | h11.Data)

    def _received_request(self) -> Request:
        method, target = self._request.method.decode(), self._request.target.decode("latin-1")
        headers = tuple((k.decode(), v.decode("latin-1")) for k, v in self._request.headers)
        return Request(method, target, headers, bytes(self._body))

    def _refuse(self, error: h11.RemoteProtocolError) -> None:
        """Respond to the first invalid request only; h11 raises for all bytes after it."""
        if self._sending is None:
            from harness.playback import default_responses

            response = default_responses.bad_request(str(error), error.error_status_hint)
            self._start(Exchange(response, Request("", "", (), b"")))

    def _start(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._sending = asyncio.get_running_loop().create_task(self._send_response(exchange))

    async def _send_response(self, exchange: Exchange) -> None:
        try:
            self._write_event(_head(exchange))
            await self._send_body(exchange)
            await self._ENDINGS[exchange.script.end](self, exchange)
        except Exception as error:  # noqa: BLE001 - reported; it must not look like a stall
            self._transport.abort()
            report = {"message": "a scripted response could not be sent", "exception": error}
            asyncio.get_running_loop().call_exception_handler(report)

    async def _send_body(self, exchange: Exchange) -> None:
        chunked = self._http.their_http_version != b"1.0"
        for pause, read in exchange.script.reads():
            await asyncio.sleep(pause)
            await self._writable.wait()
            exchange.sent += len(read)  # first: the log must not be behind the client
            # h11 could frame the chunk as well, at ten times the cost.
            self._transport.write(b"%x\r\n%b\r\n" % (len(read), read) if chunked else read)

    def _write_event(self, event: h11.Event) -> None:
        self._transport.write(cast("bytes", self._http.send(event)))

    async def _finish(self, _: Exchange) -> None:
        """Complete the body, then read the next request or close."""
        self._write_event(h11.EndOfMessage())
        self._exchange = self._sending = None
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
            self._read_requests()
        else:
            self._transport.close()

    async def _reset(self, exchange: Exchange) -> None:
        """Reset the connection once the client's kernel has every byte, before the body's end.

        On systems other than Linux the kernel cannot be asked, so the last reads may be lost.
        """
        await self._writable.wait()
        peer = self._transport.get_extra_info("socket")
        while _unacknowledged(peer):  # noqa: ASYNC110 - the kernel has no event to wait for
            await asyncio.sleep(_POLL_S)
        exchange.record_close("server")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self._transport.abort()

    async def _stall(self, _: Exchange) -> None:
        """Send nothing until the client disconnects, which cancels this task."""
        await self._lost.wait()

    _ENDINGS: ClassVar = {"clean": _finish, "reset": _reset, "stall": _stall}


def _head(exchange: Exchange) -> h11.Response:
    status = exchange.script.status
    reason = responses.get(status, "").encode()
    return h11.Response(status_code=status, reason=reason, headers=exchange.headers)


def _unacknowledged(peer: socket.socket) -> int:
    """Return how many bytes the other kernel has not acknowledged; a reset discards them."""
    if sys.platform != "linux":  # pragma: no cover - the tests run on Linux
        return 0
    size = fcntl.ioctl(peer.fileno(), termios.TIOCOUTQ, bytes(4))
    return int.from_bytes(size, sys.byteorder)
