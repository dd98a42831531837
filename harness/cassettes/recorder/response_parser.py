"""A response parsed while it arrives.

Rules of this file: the parser is llhttp, by way of httptools: it takes a microsecond a chunk, and
what it takes competes with what the client waits for; what follows the response is not looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

if TYPE_CHECKING:
    from collections.abc import Callable

_HEAD = 256 * 1024  # bytes a head may have
_FRAMED = frozenset({"content-length", "transfer-encoding"})  # RFC 9112, 6.3: they tell the end
_FINAL = 200  # statuses below tell that the response is still to come


class NoHttpError(ValueError):
    """What came is no HTTP/1.1."""


class Head(NamedTuple):
    """The status line and the headers of a response."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]


class ResponseParser:
    """One response.

    Args:
        method: of the request: the answer to HEAD has no body.
        on_head: is given the head, once.
        on_body: is given each piece of the body, without its chunks.

    ``ended`` says whether the response is whole, ``reusable`` whether the connection then is.
    """

    def __init__(
        self, method: str, on_head: Callable[[Head], None], on_body: Callable[[bytes], None]
    ) -> None:
        self._bodiless = method == "HEAD"
        self._told, self._said = on_head, on_body
        self._parser = HttpResponseParser(self)
        self._reason = b""
        self._headers: list[tuple[str, str]] = []
        self._size = 0  # bytes of the head, and of what came with it
        self._begun = self.ended = self.reusable = False

    def feed(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            NoHttpError: they are no part of a response.
        """
        if not self._begun:
            self._size += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            if not self.ended:
                raise NoHttpError(str(error)) from None
        if not self._begun and self._size > _HEAD:
            words = f"its head has more than {_HEAD:,} bytes"
            raise NoHttpError(words)

    def complete_at_eof(self) -> bool:
        """Say whether the end of the connection was the end of the body."""
        return self._begun and not any(name.lower() in _FRAMED for name, _ in self._headers)

    def on_status(self, reason: bytes) -> None:
        """Take the reason of the status line; the parser calls this, and what follows."""
        self._reason = reason

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; trailers are not kept."""
        if not self._begun:
            self._headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        """Tell the head, unless the response is still to come."""
        status = self._parser.get_status_code()
        if self.ended:
            return
        if status >= _FINAL:
            self._begun = True
            self._told(Head(status, self._reason.decode("latin-1"), tuple(self._headers)))
            if self._bodiless:
                self.on_message_complete()
        else:
            self._headers.clear()
            self._reason = b""

    def on_body(self, piece: bytes) -> None:
        """Pass on a piece of the body."""
        if not self.ended:
            self._said(piece)

    def on_message_complete(self) -> None:
        """Take the end: it is the parser's to say whether another response may follow."""
        if self._begun and not self.ended:
            self.ended = True
            self.reusable = self._parser.should_keep_alive()
