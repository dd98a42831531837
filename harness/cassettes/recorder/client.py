"""One client's connection to the recorder: requests in, answers out, one after the other.

Rules of this file: a request is read whole, because it is compared and sent again; an answer is
never looked at before it is passed on; whoever ends the exchange is noted before the other side is
let go.
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
    from harness.cassettes.recorder.upstream import UpstreamConnection
    from harness.cassettes.recorder.upstreams import Upstream

# What concerns one connection only, and what the recorder says itself.
_OWN = frozenset(
    b"accept-encoding connection content-length expect host keep-alive proxy-connection te trailer "
    b"transfer-encoding upgrade".split()
)
_NO_BODY = frozenset({204, 304})  # RFC 9110, 6.4.1


class ClientConnection(asyncio.Protocol):
    """The recorder's end of a client's connection.

    Args:
        desk: what all connections share.
    """

    _transport: asyncio.Transport
    _request: h11.Request

    def __init__(self, desk: ProxyState) -> None:
        self._desk = desk
        self._http = h11.Connection(h11.SERVER)
        self._body = bytearray()
        self._line: tuple[Upstream, UpstreamConnection] | None = None
        self._tape: ExchangeRecorder | None = None
        self._serving: asyncio.Task[None] | None = None
        self._more = asyncio.Event()  # the next request came
        self._writable = asyncio.Event()
        self._writable.set()
        self._lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("socket")
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._desk.clients.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        """Take down that the client left, if anything was under way."""
        self._desk.clients.discard(self)
        if self._tape is not None:
            self._desk.scribe.end(self._tape, "client_closed")
        if self._line is not None:
            self._line[1].hang_up()
        self._writable.set()
        self._lost.set()

    def eof_received(self) -> None:
        """Treat a client that sends no more as one that left; no provider SDK half-closes."""
        self._transport.abort()

    def pause_writing(self) -> None:
        """Let the server wait: the client cannot follow."""
        self._writable.clear()
        if self._line is not None:
            self._line[1].rest()

    def resume_writing(self) -> None:
        """Go on."""
        self._writable.set()
        if self._line is not None:
            self._line[1].go_on()

    def data_received(self, data: bytes) -> None:
        """Take bytes of a request; one that comes now says that the last answer was read."""
        self._http.receive_data(data)
        if self._serving is None:
            self._listen()
        else:
            self._more.set()

    async def hang_up(self) -> None:
        """Close the connection from our side and wait until everything of it has ended."""
        self._transport.abort()
        await self._lost.wait()
        if self._serving is not None:
            await asyncio.wait([self._serving])

    def _listen(self) -> None:
        try:
            while self._take(self._http.next_event()):
                pass
        except h11.RemoteProtocolError as error:
            self._say(400, "bad_request", f"this is no HTTP/1.1 request: {error}")
            self._transport.close()

    def _take(self, event: type[h11.NEED_DATA | h11.PAUSED] | h11.Event) -> bool:
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
            reusable = await self._answer(request, body)
        except Exception as error:  # noqa: BLE001 - reported; it must not look like a stall
            self._desk.failed = self._desk.failed or error
            self._transport.abort()
            return
        self._tape = None
        if reusable and not _says_close(request):
            rest, _ = self._http.trailing_data
            self._http = h11.Connection(h11.SERVER)
            self._serving = None
            self._more.clear()
            if rest:  # nothing at all would mean to h11 that the client left
                self.data_received(rest)
        else:
            self._transport.close()

    async def _answer(self, request: h11.Request, body: bytes) -> bool:
        """Answer a request; return whether the connection may be used again."""
        name, _, rest = request.target.decode("latin-1").lstrip("/").partition("/")
        upstream = self._desk.upstreams.get(name)
        if upstream is None:
            return self._say(404, "not_found_error", self._desk.unknown(name))
        asked = _asked(request, body, upstream.uri(rest))
        told = self._desk.known(asked)
        if told is not None:
            return await self._play(told, head_only=request.method == b"HEAD")
        if not self._desk.shelf.records:
            return self._say(404, "not_recorded", self._desk.refuse(asked))
        return await self._forward(upstream, _message(request, body, upstream, rest), asked)

    async def _forward(self, upstream: Upstream, message: bytes, asked: Request) -> bool:
        used = self._line is not None and self._line[0] == upstream and not self._line[1].gone
        try:
            line = self._line[1] if self._line and used else await self._connect(upstream)
            self._tape = tape = self._desk.tape(asked, upstream.authority)
            if not await line.ask(message, tape) and used and not self._lost.is_set():
                line = await self._connect(upstream)  # it had closed while nobody asked
                await line.ask(message, tape)
        except OSError as error:
            words = f"{upstream.name} cannot be reached at {upstream.authority}: {error}"
            return self._say(502, "connection_error", self._desk.miss(words))
        return await self._until_over(tape, line)

    async def _until_over(self, tape: ExchangeRecorder, line: UpstreamConnection) -> bool:
        """Wait for the end of an answer: the scribe finds it, or the client knows it sooner."""
        line.when_gone(lambda: self._desk.scribe.end(tape, "reset"))
        more = asyncio.ensure_future(self._more.wait())
        await asyncio.wait((tape.over, more), return_when=asyncio.FIRST_COMPLETED)
        more.cancel()
        return tape.over.result() if tape.over.done() else not line.gone

    async def _connect(self, upstream: Upstream) -> UpstreamConnection:
        if self._line is not None:
            self._line[1].hang_up()
        self._line = None
        line = await self._desk.connect(upstream, self._transport)
        self._line = (upstream, line)
        if self._lost.is_set():
            line.hang_up()
        return line

    async def _play(self, told: Response, *, head_only: bool) -> bool:
        """Say a recorded response again, in its very reads."""
        bare = head_only or told.status in _NO_BODY
        framing = () if bare else (("transfer-encoding", "chunked"),)
        self._head(told.status, told.reason, (*told.headers, *framing))
        if bare:
            return True
        for piece in _pieces(told.body, told.stream.reads):
            await self._writable.wait()
            self._transport.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await asyncio.sleep(0)
        if told.stream.end == "reset":
            return False
        self._transport.write(b"0\r\n\r\n")
        return True

    def _say(self, status: int, kind: str, message: str) -> bool:
        """Give an answer of the recorder's own."""
        body = json.dumps({"error": {"type": kind, "message": f"harness record: {message}"}})
        headers = (("content-type", "application/json"), ("content-length", str(len(body))))
        self._head(status, kind, headers)
        self._transport.write(body.encode())
        return True

    def _head(self, status: int, reason: str, headers: tuple[tuple[str, str], ...]) -> None:
        lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in headers)]
        self._transport.write("\r\n".join([*lines, "", ""]).encode("latin-1", "replace"))


def _pieces(body: bytes, reads: tuple[Read, ...] | None) -> list[bytes]:
    lengths = [len(body)] if reads is None else [read.length for read in reads]
    pieces, start = [], 0
    for length in lengths:
        pieces.append(body[start : start + length])
        start += length
    return [piece for piece in pieces if piece]


def _says_close(request: h11.Request) -> bool:
    return request.http_version == b"1.0" or any(
        name == b"connection" and b"close" in value.lower() for name, value in request.headers
    )


def _asked(request: h11.Request, body: bytes, uri: str) -> Request:
    headers = tuple(
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in request.headers.raw_items()
        if name.lower() not in _OWN
    )
    return Request(request.method.decode("latin-1"), uri, headers, body)


def _message(request: h11.Request, body: bytes, upstream: Upstream, rest: str) -> bytes:
    """Return the bytes to ask the server with; no coding is asked for that would hide a secret."""
    own = {"host": upstream.authority, "accept-encoding": "identity"}
    if body or request.method in {b"POST", b"PUT", b"PATCH"}:
        own["content-length"] = str(len(body))
    lines = [b"%b %b HTTP/1.1" % (request.method, upstream.target(rest).encode("latin-1"))]
    lines += [f"{name}: {value}".encode() for name, value in own.items()]
    lines += [b"%b: %b" % (k, v) for k, v in request.headers.raw_items() if k.lower() not in _OWN]
    return b"\r\n".join([*lines, b"", body])
