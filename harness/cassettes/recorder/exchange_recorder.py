"""One exchange on its way to the journal: parsed, decoded, scrubbed.

Rules of this file: it sees the very bytes that pass, as they came from the network, and is given
them after they passed; what it cannot scrub it does not keep.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from harness.cassettes.coding import LIMIT, ContentDecoder, codings_of
from harness.cassettes.recorder.journal import text_of
from harness.cassettes.recorder.response_parser import NoHttpError, ResponseParser
from harness.errors import InputError, WireError

if TYPE_CHECKING:
    from harness.cassettes.cassette import Request, StreamEnd
    from harness.cassettes.recorder.journal import Journal
    from harness.cassettes.recorder.response_parser import Head
    from harness.cassettes.scrubbing import Scrubber

# Headers of the transfer itself: the body is kept without its codings, and perhaps not whole.
_DROPPED = frozenset(
    {"connection", "content-encoding", "content-length", "keep-alive", "transfer-encoding"}
)
_CODING = "content-encoding"
_MOST = 256 * 1024  # bytes of a read that are held; only what was compressed comes to more


class ExchangeRecorder:
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
        self._http: ResponseParser | None = None
        self._undoing = ContentDecoder([])
        self._offset = 0.0  # when the network read that is being taken down came
        self._size = 0  # bytes of the body in it
        self._body = bytearray()  # what is taken down and not kept yet
        self._reads: list[list[float]] = []  # and the reads in which it came
        self._ended = False

    def _begin(self) -> ResponseParser:
        """Take down the request: not before it was sent, so that nobody waits for it."""
        self._scrubbing = self._scrubber.body()
        asked = self._scrubber.request(self._request)
        self._note(
            method=asked.method,
            uri=asked.uri,
            headers=asked.headers,
            body=text_of(asked.body),
            what=self._what,
        )
        return ResponseParser(asked.method, self._answer, self._said)

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
        self._offset = offset
        try:
            http.feed(data)
        except NoHttpError as error:
            self._break_off(f"what came is no HTTP/1.1: {error}")
            return
        if last or http.ended:
            self._read()
        if http.ended:
            self._end("clean", reusable=http.reusable)

    def _break_off(self, why: str) -> None:
        """Take down what came before it made no sense; the client judges the rest itself."""
        self._read()
        self._end("reset", reusable=False)
        self.lost = why

    def end(self, end: StreamEnd) -> None:
        """Take down that the exchange broke off, unless it was over before."""
        if not self._ended:
            self._http = self._http or self._begin()
            whole = end == "reset" and self._http.complete_at_eof()
            self._end("clean" if whole else end, reusable=False)
        elif not self.over.done():
            self.over.set_result(False)

    def give_up(self) -> None:
        """Take down no more; the stream goes on for those who read it."""
        self._ended = True
        self._body.clear()
        self._reads.clear()

    def _answer(self, head: Head) -> None:
        raw = head.headers
        try:
            self._undoing = ContentDecoder(
                codings_of(v for k, v in raw if k.lower() == _CODING), LIMIT
            )
        except InputError as error:
            self.lost = str(error)
        kept = tuple((name, value) for name, value in raw if name.lower() not in _DROPPED)
        if self.lost is None:
            self._note(status=head.status, reason=head.reason, headers=self._scrubber.headers(kept))

    def _said(self, data: bytes) -> None:
        """Take bytes of the body; what comes of few that were compressed may be many."""
        if self.lost is not None:
            return
        try:
            for piece in self._undoing.feed(data):
                self._body += piece
                self._size += len(piece)
                if self._size >= _MOST:
                    self._read()
                    self.keep()
        except InputError as error:
            self.lost = str(error)

    def _read(self) -> None:
        """Note that a network read ends here."""
        if self._size:
            self._reads.append([self._size, round(self._offset, 6)])
            self._size = 0

    def keep(self) -> None:
        """Scrub what was taken down and write it into the journal."""
        if self._body and self.lost is None:
            try:
                text = text_of(self._scrubbing.feed(bytes(self._body)))
            except WireError as error:
                self.lost = str(error)
            else:
                self._note(reads=self._reads, text=text)
        self._body.clear()
        self._reads.clear()

    def _end(self, end: StreamEnd, *, reusable: bool) -> None:
        self._ended = True
        self.keep()
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
