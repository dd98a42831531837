"""One exchange on its way to the journal: parsed, decoded, scrubbed.

Rules of this file: it sees the very bytes that pass, as they came from the network, and is given
them after they passed; what it cannot scrub it does not keep.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import h11

from harness.cassettes.coding import LIMIT, Undoing, codings_of
from harness.cassettes.recorder.journal import text_of
from harness.errors import InputError, WireError

if TYPE_CHECKING:
    from harness.cassettes.cassette import Request, StreamEnd
    from harness.cassettes.recorder.journal import Journal
    from harness.cassettes.scrubbing import Scrubber

_HEAD = 256 * 1024  # bytes a head may have
# Headers of the transfer itself: the body is kept without its codings, and perhaps not whole.
_DROPPED = frozenset(
    {"connection", "content-encoding", "content-length", "keep-alive", "transfer-encoding"}
)
_CODING = "content-encoding"
_MOST = 256 * 1024  # bytes of a read that are held; only what was compressed comes to more


class Tape:
    """Takes down one exchange.

    Args:
        number: its number in the journal.
        request: what was asked; scrubbed when the first of the answer is taken down.
        what: whom it was asked.
        journal: where it goes.
        scrubber: who masks.

    ``over`` is done when the response is over, with whether the connection may be used again;
    ``lost`` says why nothing of the exchange is kept, None while it is.
    """

    def __init__(
        self, number: int, request: Request, what: str, journal: Journal, scrubber: Scrubber
    ) -> None:
        self.over: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.lost: str | None = None
        self._number, self._journal, self._scrubber = number, journal, scrubber
        self._request, self._what = request, what
        self._http: h11.Connection | None = None
        self._undoing = Undoing([])
        self._read = bytearray()  # of the body, in the network read that is being taken down
        self._ended = False

    def _begin(self) -> h11.Connection:
        """Take down the request: not before it was sent, so that nobody waits for it."""
        self._scrubbing = self._scrubber.body()
        http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD)
        http.send(h11.Request(method=self._request.method, target="/", headers=[("host", "x")]))
        http.send(h11.EndOfMessage())
        asked = self._scrubber.request(self._request)
        self._note(
            method=asked.method,
            uri=asked.uri,
            headers=asked.headers,
            body=text_of(asked.body),
            what=self._what,
        )
        return http

    def take(self, data: bytes, offset: float, *, last: bool) -> None:
        """Take down bytes of a network read.

        Args:
            data: the bytes.
            offset: when they came, in seconds since the request was sent whole.
            last: whether the read ends with them.
        """
        if self._ended:
            return
        self._http = http = self._http or self._begin()
        try:
            http.receive_data(data)
            ended = self._events(http, offset)
        except h11.RemoteProtocolError as error:
            self._break_off(offset, f"what came is no HTTP/1.1: {error}")
            return
        if last or ended:
            self._keep(offset)
        if ended:
            self._end("clean", reusable=http.their_state is h11.DONE)

    def _break_off(self, offset: float, why: str) -> None:
        """Take down what came before it made no sense; the client judges the rest itself."""
        self._keep(offset)
        self._end("reset", reusable=False)
        self.lost = why

    def end(self, end: StreamEnd) -> None:
        """Take down that the exchange broke off, unless it was over before."""
        if not self._ended:
            self._http = self._http or self._begin()
            whole = end == "reset" and self._complete_at_eof(self._http)
            self._end("clean" if whole else end, reusable=False)
        elif not self.over.done():
            self.over.set_result(False)

    def give_up(self) -> None:
        """Take down no more; the stream goes on for those who read it."""
        self._ended = True

    def _complete_at_eof(self, http: h11.Connection) -> bool:
        """Say whether the end of the connection was the end of the body (RFC 9112, 6.3)."""
        try:
            http.receive_data(b"")
            return self._events(http, 0.0)
        except h11.RemoteProtocolError:
            return False

    def _events(self, http: h11.Connection, offset: float) -> bool:
        """Take what is whole; return whether the message is."""
        while True:
            event = http.next_event()
            if isinstance(event, h11.Response):
                self._answer(event)
            elif isinstance(event, h11.Data):
                self._say(bytes(event.data), offset)
            elif isinstance(event, h11.EndOfMessage):
                return True
            elif not isinstance(event, h11.InformationalResponse):
                return False

    def _answer(self, response: h11.Response) -> None:
        raw = [(k.decode("latin-1"), v.decode("latin-1")) for k, v in response.headers.raw_items()]
        try:
            self._undoing = Undoing(codings_of(v for k, v in raw if k.lower() == _CODING), LIMIT)
        except InputError as error:
            self.lost = str(error)
        kept = tuple((name, value) for name, value in raw if name.lower() not in _DROPPED)
        if self.lost is None:
            self._note(
                status=response.status_code,
                reason=response.reason.decode("latin-1"),
                headers=self._scrubber.headers(kept),
            )

    def _say(self, data: bytes, offset: float) -> None:
        """Take bytes of the body; what comes of few that were compressed may be many."""
        if self.lost is not None:
            return
        try:
            for piece in self._undoing.feed(data):
                self._read += piece
                if len(self._read) >= _MOST:
                    self._keep(offset)
        except InputError as error:
            self.lost = str(error)

    def _keep(self, offset: float) -> None:
        if self._read and self.lost is None:
            try:
                text = text_of(self._scrubbing.feed(bytes(self._read)))
            except WireError as error:
                self.lost = str(error)
            else:
                self._note(reads=[[len(self._read), round(offset, 6)]], text=text)
        self._read.clear()

    def _end(self, end: StreamEnd, *, reusable: bool) -> None:
        self._ended = True
        if self.lost is None:
            text = text_of(self._scrubbing.close())
            try:
                self._scrubbing.check()
            except WireError as error:
                if end == "clean":
                    end, self.lost = "reset", str(error)
            self._note(text=text, end=end)
        if not self.over.done():
            self.over.set_result(reusable)

    def _note(self, **entry: object) -> None:
        self._journal.note(n=self._number, **entry)
