"""One client's connection to the recorder: requests in, responses out, one after the other.

Rules of this file: a request is read to its end, because it is compared and forwarded; a response
is forwarded before it is parsed; the side that ended the exchange is recorded before the other
connection is closed.
"""

from __future__ import annotations

import asyncio
import json
import socket
from typing import TYPE_CHECKING, cast

import h11

from harness.cassettes.cassette import Request

if TYPE_CHECKING:
    from harness.cassettes.cassette import Read, Response
    from harness.cassettes.recorder.exchange_recorder import ExchangeRecorder
    from harness.cassettes.recorder.proxy_state import ProxyState
    from harness.cassettes.recorder.upstream_connection import UpstreamConnection
    from harness.cassettes.recorder.upstreams import Upstream

# Headers of one connection only, and those the recorder sets itself.
_OWN_HEADERS = frozenset(
    b"accept-encoding connection content-length expect host keep-alive proxy-connection te trailer "
    b"transfer-encoding upgrade".split()
)
_NO_BODY = frozenset({204, 304})  # RFC 9110, 6.4.1


class ClientConnection(asyncio.Protocol):
    """The recorder's end of a client's connection.

    Args:
        state: what all connections share.
    """

    _transport: asyncio.Transport
    _request: h11.Request

    def __init__(self, state: ProxyState) -> None:
        self._state = state
        self._http = h11.Connection(h11.SERVER)
        self._body = bytearray()
        self._upstream: tuple[Upstream, UpstreamConnection] | None = None
        self._recorder: ExchangeRecorder | None = None
        self._serving: asyncio.Task[None] | None = None
        self._next_request = asyncio.Event()  # the next request came
        self._writable = asyncio.Event()
        self._writable.set()
        self._lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register the connection."""
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("socket")
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._state.clients.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        """Record that the client disconnected, if an exchange was in progress."""
        self._state.clients.discard(self)
        if self._recorder is not None:
            self._state.write_queue.end(self._recorder, "client_closed")
        if self._upstream is not None:
            self._upstream[1].close()
        self._writable.set()
        self._lost.set()

    def eof_received(self) -> None:
        """Treat a half-closed connection as closed; no provider SDK half-closes."""
        self._transport.abort()

    def pause_writing(self) -> None:
        """Stop reading from the server: the client reads too slowly."""
        self._writable.clear()
        if self._upstream is not None:
            self._upstream[1].pause_reading()

    def resume_writing(self) -> None:
        """Read from the server again."""
        self._writable.set()
        if self._upstream is not None:
            self._upstream[1].resume_reading()

    def data_received(self, data: bytes) -> None:
        """Read request bytes; a further request means that the last response was read."""
        self._http.receive_data(data)
        if self._serving is None:
            self._read_requests()
        else:
            self._next_request.set()

    async def close(self) -> None:
        """Close the connection and wait until its task has ended."""
        self._transport.abort()
        await self._lost.wait()
        if self._serving is not None:
            await asyncio.wait([self._serving])

    def _read_requests(self) -> None:
        try:
            while self._handle_event(self._http.next_event()):
                pass
        except h11.RemoteProtocolError as error:
            self._send_error(400, "bad_request", f"not an HTTP/1.1 request: {error}")
            self._transport.close()

    def _handle_event(self, event: type[h11.NEED_DATA | h11.PAUSED] | h11.Event) -> bool:
        if isinstance(event, h11.Request):
            self._request = event
            self._body.clear()
            if self._http.they_are_waiting_for_100_continue:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        elif isinstance(event, h11.Data):
            self._body += event.data
        elif isinstance(event, h11.EndOfMessage):
            serving = self._serve(self._request, bytes(self._body))
            self._serving = asyncio.get_running_loop().create_task(serving)
        return isinstance(event, h11.Request | h11.Data)

    async def _serve(self, request: h11.Request, body: bytes) -> None:
        try:
            reusable = await self._respond(request, body)
        except Exception as error:  # noqa: BLE001 - reported; it must not look like a stall
            self._state.error = self._state.error or error
            self._transport.abort()
            return
        self._recorder = None
        if reusable and not _wants_close(request):
            rest, _ = self._http.trailing_data
            self._http = h11.Connection(h11.SERVER)
            self._serving = None
            self._next_request.clear()
            if rest:  # to h11, empty bytes mean that the client disconnected
                self.data_received(rest)
        else:
            self._transport.close()

    async def _respond(self, request: h11.Request, body: bytes) -> bool:
        """Send a response; return whether the connection may be used again."""
        name, _, rest = request.target.decode("latin-1").lstrip("/").partition("/")
        upstream = self._state.upstreams.get(name)
        if upstream is None:
            return self._send_error(404, "not_found_error", self._state.unknown_upstream(name))
        lookup = _request_of(request, body, upstream.uri(rest))
        response = self._state.recorded_response(lookup)
        if response is not None:
            return await self._replay(response, head_only=request.method == b"HEAD")
        if not self._state.index.records:
            return self._send_error(404, "not_recorded", self._state.refuse(lookup))
        return await self._forward(upstream, _message(request, body, upstream, rest), lookup)

    async def _forward(self, upstream: Upstream, message: bytes, request: Request) -> bool:
        open_connection = self._connection_to(upstream)
        try:
            connection = open_connection or await self._connect(upstream)
            self._recorder = recorder = self._state.new_recorder(request, upstream.authority)
            started = await connection.send(message, recorder)
            if not started and open_connection and not self._lost.is_set():
                connection = await self._connect(upstream)  # the server had closed the idle one
                await connection.send(message, recorder)
        except OSError as error:
            problem = f"{upstream.name} cannot be reached at {upstream.authority}: {error}"
            return self._send_error(502, "connection_error", self._state.add_problem(problem))
        return await self._until_finished(recorder, connection)

    async def _until_finished(
        self, recorder: ExchangeRecorder, connection: UpstreamConnection
    ) -> bool:
        """Wait for the end of a response: the recorder finds it, or the next request shows it."""
        connection.on_lost(lambda: self._state.write_queue.end(recorder, "reset"))
        next_request = asyncio.ensure_future(self._next_request.wait())
        await asyncio.wait((recorder.finished, next_request), return_when=asyncio.FIRST_COMPLETED)
        next_request.cancel()
        return recorder.finished.result() if recorder.finished.done() else not connection.lost

    def _connection_to(self, upstream: Upstream) -> UpstreamConnection | None:
        if self._upstream is None or self._upstream[0] != upstream or self._upstream[1].lost:
            return None
        return self._upstream[1]

    async def _connect(self, upstream: Upstream) -> UpstreamConnection:
        if self._upstream is not None:
            self._upstream[1].close()
        self._upstream = None
        connection = await self._state.connect(upstream, self._transport)
        self._upstream = (upstream, connection)
        if self._lost.is_set():
            connection.close()
        return connection

    async def _replay(self, response: Response, *, head_only: bool) -> bool:
        """Replay a recorded response, one chunk per recorded read."""
        bodiless = head_only or response.status in _NO_BODY
        framing = () if bodiless else (("transfer-encoding", "chunked"),)
        self._send_head(response.status, response.reason, (*response.headers, *framing))
        if bodiless:
            return True
        for piece in _reads_of(response.body, response.stream.reads):
            await self._writable.wait()
            self._transport.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await asyncio.sleep(0)
        if response.stream.end == "reset":
            return False
        self._transport.write(b"0\r\n\r\n")
        return True

    def _send_error(self, status: int, kind: str, message: str) -> bool:
        """Send an error response of the recorder's own."""
        body = json.dumps({"error": {"type": kind, "message": f"harness record: {message}"}})
        headers = (("content-type", "application/json"), ("content-length", str(len(body))))
        self._send_head(status, kind, headers)
        self._transport.write(body.encode())
        return True

    def _send_head(self, status: int, reason: str, headers: tuple[tuple[str, str], ...]) -> None:
        lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in headers)]
        self._transport.write("\r\n".join([*lines, "", ""]).encode("latin-1", "replace"))


def _reads_of(body: bytes, reads: tuple[Read, ...] | None) -> list[bytes]:
    lengths = [len(body)] if reads is None else [read.length for read in reads]
    pieces, start = [], 0
    for length in lengths:
        pieces.append(body[start : start + length])
        start += length
    return [piece for piece in pieces if piece]


def _wants_close(request: h11.Request) -> bool:
    return request.http_version == b"1.0" or any(
        name == b"connection" and b"close" in value.lower() for name, value in request.headers
    )


def _request_of(request: h11.Request, body: bytes, uri: str) -> Request:
    headers = tuple(
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in request.headers.raw_items()
        if name.lower() not in _OWN_HEADERS
    )
    return Request(request.method.decode("latin-1"), uri, headers, body)


def _message(request: h11.Request, body: bytes, upstream: Upstream, rest: str) -> bytes:
    """Return the bytes to send to the server; a content coding would hide secrets."""
    own = {"host": upstream.authority, "accept-encoding": "identity"}
    if body or request.method in {b"POST", b"PUT", b"PATCH"}:
        own["content-length"] = str(len(body))
    lines = [b"%b %b HTTP/1.1" % (request.method, upstream.target(rest).encode("latin-1"))]
    lines += [f"{name}: {value}".encode() for name, value in own.items()]
    lines += [
        b"%b: %b" % (k, v) for k, v in request.headers.raw_items() if k.lower() not in _OWN_HEADERS
    ]
    return b"\r\n".join([*lines, b"", body])
