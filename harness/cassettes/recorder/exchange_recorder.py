"""One exchange on its way to the journal: parsed, decoded, scrubbed.

Rules of this file: it reads the bytes as they came from the network, after they were forwarded;
what it cannot scrub it does not store.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from harness.cassettes.coding import LIMIT, ContentDecoder, codings_of
from harness.cassettes.recorder.journal import text_of
from harness.cassettes.recorder.response_parser import InvalidHttpError, ResponseParser
from harness.errors import InputError, WireError

if TYPE_CHECKING:
    from harness.cassettes.cassette import Request, StreamEnd
    from harness.cassettes.recorder.journal import Journal
    from harness.cassettes.recorder.response_parser import Head
    from harness.cassettes.scrubbing import Scrubber

# Headers of the transfer itself: the body is stored decoded, and perhaps incomplete.
_DROPPED_HEADERS = frozenset(
    {"connection", "content-encoding", "content-length", "keep-alive", "transfer-encoding"}
)
_CODING = "content-encoding"
_MAX_HELD = 256 * 1024  # decoded bytes held in memory; only compressed reads exceed it


class ExchangeRecorder:
    """Records one exchange.

    Args:
        number: its number in the journal.
        request: the request; it is scrubbed with the first bytes of the response.
        provider: the authority of the server, for the provenance.
        journal: where the exchange is written.
        scrubber: masks secrets.

    ``finished`` resolves at the end of the response, with whether the connection may be used
    again. ``problem`` says why the exchange is recorded in part or not at all, None if it is not.
    """

    def __init__(
        self, number: int, request: Request, provider: str, journal: Journal, scrubber: Scrubber
    ) -> None:
        self.finished: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.problem: str | None = None
        self._number, self._journal, self._scrubber = number, journal, scrubber
        self._request, self._provider = request, provider
        self._http: ResponseParser | None = None
        self._decoder = ContentDecoder([])
        self._offset = 0.0  # seconds at which the current network read came
        self._size = 0  # body bytes in the current network read
        self._body = bytearray()  # decoded and not in the journal yet
        self._reads: list[list[float]] = []  # [length, offset] of the reads in it
        self._ended = False

    def _start(self) -> ResponseParser:
        """Record the request, after it was sent, so that forwarding does not wait for it."""
        self._scrubbing = self._scrubber.body()
        scrubbed = self._scrubber.request(self._request)
        self._append(
            method=scrubbed.method,
            uri=scrubbed.uri,
            headers=scrubbed.headers,
            body=text_of(scrubbed.body),
            what=self._provider,
        )
        return ResponseParser(scrubbed.method, self._on_head, self._on_body)

    def feed(self, data: bytes, offset: float, *, last: bool) -> None:
        """Record bytes of a network read.

        Args:
            data: the bytes.
            offset: when they came, in seconds since the request was sent.
            last: whether the read ends with them.
        """
        if self._ended:
            return
        self._http = http = self._http or self._start()
        self._offset = offset
        try:
            http.feed(data)
        except InvalidHttpError as error:
            self._fail(f"the response is not valid HTTP/1.1: {error}")
            return
        if last or http.ended:
            self._end_read()
        if http.ended:
            self._end("clean", reusable=http.reusable)

    def _fail(self, reason: str) -> None:
        """Record what came before the invalid bytes; those were forwarded to the client."""
        self._end_read()
        self._end("reset", reusable=False)
        self.problem = reason

    def end(self, end: StreamEnd) -> None:
        """Record that the connection ended, unless the response was complete before."""
        if not self._ended:
            self._http = self._http or self._start()
            complete = end == "reset" and self._http.complete_at_eof()
            self._end("clean" if complete else end, reusable=False)
        elif not self.finished.done():
            self.finished.set_result(False)

    def abandon(self) -> None:
        """Record no more; forwarding goes on."""
        self._ended = True
        self._body.clear()
        self._reads.clear()

    def _on_head(self, head: Head) -> None:
        raw = head.headers
        try:
            self._decoder = ContentDecoder(
                codings_of(v for k, v in raw if k.lower() == _CODING), LIMIT
            )
        except InputError as error:
            self.problem = str(error)
        headers = tuple(
            (name, value) for name, value in raw if name.lower() not in _DROPPED_HEADERS
        )
        if self.problem is None:
            self._append(
                status=head.status, reason=head.reason, headers=self._scrubber.headers(headers)
            )

    def _on_body(self, data: bytes) -> None:
        """Decode bytes of the body; few compressed bytes may become many."""
        if self.problem is not None:
            return
        try:
            for piece in self._decoder.feed(data):
                self._body += piece
                self._size += len(piece)
                if self._size >= _MAX_HELD:
                    self._end_read()
                    self.flush()
        except InputError as error:
            self.problem = str(error)

    def _end_read(self) -> None:
        """Store the length and time of the network read that ends here."""
        if self._size:
            self._reads.append([self._size, round(self._offset, 6)])
            self._size = 0

    def flush(self) -> None:
        """Scrub the decoded bytes and append them to the journal."""
        if self._body and self.problem is None:
            try:
                text = text_of(self._scrubbing.feed(bytes(self._body)))
            except WireError as error:
                self.problem = str(error)
            else:
                self._append(reads=self._reads, text=text)
        self._body.clear()
        self._reads.clear()

    def _end(self, end: StreamEnd, *, reusable: bool) -> None:
        self._ended = True
        self.flush()
        if self.problem is None:
            text = text_of(self._scrubbing.close())
            try:
                self._scrubbing.check()
            except WireError as error:
                if end == "clean":
                    end, self.problem = "reset", str(error)
            self._append(text=text, end=end)
        if not self.finished.done():
            self.finished.set_result(reusable)

    def _append(self, **entry: object) -> None:
        self._journal.append(n=self._number, **entry)
