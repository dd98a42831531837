"""One client's connection: requests in, scripts out, one after the other.

Rules of this file: one read of the cut plan is one chunk of the chunked coding (RFC 9112, 7.1) and
one write to the socket; the loop is given back before each read, so that a client who leaves is
noticed there; whoever ends the exchange is noted before the connection is touched.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from http.client import responses
from typing import TYPE_CHECKING, ClassVar, cast

import h11

from harness.playback import notices
from harness.playback.response_registry import BODY_KEPT, Exchange, Request

if sys.platform == "linux":
    import fcntl
    import termios

if TYPE_CHECKING:
    from harness.playback.response_registry import ResponseRegistry

_NO_LINGER = struct.pack("ii", 1, 0)  # close at once and say so with RST, not FIN
_POLL = 0.001  # seconds between two looks at the kernel's send queue


class Connection(asyncio.Protocol):
    """The server's end of one connection.

    Args:
        stage: what to say.
        peers: the open connections of the server; this one is in it from beginning to end.
    """

    _transport: asyncio.Transport
    _request: h11.Request

    def __init__(self, stage: ResponseRegistry, peers: set[Connection]) -> None:
        self._stage, self._peers = stage, peers
        self._http = h11.Connection(h11.SERVER)
        self._body = bytearray()
        self._exchange: Exchange | None = None
        self._speaking: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; no byte may wait in a buffer, ours or the kernel's.

        asyncio sets TCP_NODELAY only on sockets that name their protocol, and those of
        ``create_server`` do not: without it a first chunk waits 40 ms for the head's confirmation.
        """
        self._transport = cast("asyncio.Transport", transport)
        peer = self._transport.get_extra_info("socket")
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._transport.set_write_buffer_limits(high=0)
        self._peers.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        """Stop speaking: nobody listens any more."""
        self._peers.discard(self)
        if self._exchange:
            self._exchange.left("client")
        if self._speaking:
            self._speaking.cancel()
        self._lost.set()

    def eof_received(self) -> None:
        """Treat a client that sends no more as one that left; no provider SDK half-closes."""
        self._transport.abort()

    def pause_writing(self) -> None:
        """Wait: the kernel holds all it can."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Go on: the kernel took everything."""
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        """Take bytes of a request."""
        self._http.receive_data(data)
        self._listen()

    async def hang_up(self) -> None:
        """Close the connection from our side and wait until everything of it has ended."""
        if self._exchange:
            self._exchange.left("server")
        self._transport.abort()
        await self._lost.wait()
        if self._speaking:
            await asyncio.wait([self._speaking])

    def _listen(self) -> None:
        """Read on until a request is whole; while one is being answered h11 says PAUSED."""
        try:
            while self._take(self._http.next_event()):
                pass
        except h11.RemoteProtocolError as error:
            self._refuse(error)

    def _take(self, event: type[h11.NEED_DATA | h11.PAUSED] | h11.Event) -> bool:
        if isinstance(event, h11.Request):
            self._request = event
            self._body.clear()
            if self._http.they_are_waiting_for_100_continue:
                self._say(h11.InformationalResponse(status_code=100, headers=[]))
        elif isinstance(event, h11.Data):
            self._body += event.data[: BODY_KEPT - len(self._body)]
        elif isinstance(event, h11.EndOfMessage):
            self._begin(self._stage.answer(self._asked()))
        return isinstance(event, h11.Request | h11.Data)

    def _asked(self) -> Request:
        method, target = self._request.method.decode(), self._request.target.decode("latin-1")
        headers = tuple((k.decode(), v.decode("latin-1")) for k, v in self._request.headers)
        return Request(method, target, headers, bytes(self._body))

    def _refuse(self, error: h11.RemoteProtocolError) -> None:
        """Answer the first thing that is no request; h11 complains about all that follows it."""
        if self._speaking is None:
            notice = notices.bad_request(str(error), error.error_status_hint)
            self._begin(Exchange(notice, Request("", "", (), b"")))

    def _begin(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._speaking = asyncio.get_running_loop().create_task(self._speak(exchange))

    async def _speak(self, exchange: Exchange) -> None:
        try:
            self._say(_head(exchange))
            await self._say_body(exchange)
            await self._ENDINGS[exchange.script.end](self, exchange)
        except Exception as error:  # noqa: BLE001 - reported; it must not look like a stall
            self._transport.abort()
            report = {"message": "a script could not be spoken", "exception": error}
            asyncio.get_running_loop().call_exception_handler(report)

    async def _say_body(self, exchange: Exchange) -> None:
        chunked = self._http.their_http_version != b"1.0"
        for pause, read in exchange.script.reads():
            await asyncio.sleep(pause)
            await self._writable.wait()
            exchange.sent += len(read)  # first: a client must not know more than the evidence
            # h11 would frame the chunk as well, for ten times the price.
            self._transport.write(b"%x\r\n%b\r\n" % (len(read), read) if chunked else read)

    def _say(self, event: h11.Event) -> None:
        self._transport.write(cast("bytes", self._http.send(event)))

    async def _finish(self, _: Exchange) -> None:
        """Complete the body; the connection is then free for the next request."""
        self._say(h11.EndOfMessage())
        self._exchange = self._speaking = None
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
            self._listen()
        else:
            self._transport.close()

    async def _reset(self, exchange: Exchange) -> None:
        """Lose the connection, after the client's kernel has every byte and before the body's end.

        Where the kernel cannot be asked (all but Linux), the last reads may be lost with it.
        """
        await self._writable.wait()
        peer = self._transport.get_extra_info("socket")
        while _unacknowledged(peer):  # noqa: ASYNC110 - the kernel has no event to wait for
            await asyncio.sleep(_POLL)
        exchange.left("server")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self._transport.abort()

    async def _stall(self, _: Exchange) -> None:
        """Say nothing until the client leaves, which cancels this task."""
        await self._lost.wait()

    _ENDINGS: ClassVar = {"clean": _finish, "reset": _reset, "stall": _stall}


def _head(exchange: Exchange) -> h11.Response:
    status = exchange.script.status
    reason = responses.get(status, "").encode()
    return h11.Response(status_code=status, reason=reason, headers=exchange.headers)


def _unacknowledged(peer: socket.socket) -> int:
    """Return how many bytes the other kernel has not confirmed; a reset would discard them."""
    if sys.platform != "linux":  # pragma: no cover - the tests run on Linux
        return 0
    answer = fcntl.ioctl(peer.fileno(), termios.TIOCOUTQ, bytes(4))
    return int.from_bytes(answer, sys.byteorder)
