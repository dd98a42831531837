"""A response parsed while it arrives.

Rules of this file: the parser is llhttp through httptools, which takes a microsecond per chunk: it
runs beside the forwarding and must not slow it down; bytes after the response are ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

if TYPE_CHECKING:
    from collections.abc import Callable

_MAX_HEAD = 256 * 1024  # bytes
_FRAMED = frozenset({"content-length", "transfer-encoding"})  # RFC 9112, 6.3: they mark the end
_FIRST_FINAL = 200  # lower statuses are informational; the final response follows


class InvalidHttpError(ValueError):
    """The bytes are not an HTTP/1.1 response."""


class Head(NamedTuple):
    """The status line and the headers of a response."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]


class ResponseParser:
    """One response.

    Args:
        method: of the request: the response to HEAD has no body.
        on_head: called once, with the head.
        on_body: called with each piece of the body, without the chunk framing.

    ``ended`` is true when the response is complete, ``reusable`` when the connection may then be
    used again.
    """

    def __init__(
        self, method: str, on_head: Callable[[Head], None], on_body: Callable[[bytes], None]
    ) -> None:
        self._bodiless = method == "HEAD"
        self._on_head, self._on_body = on_head, on_body
        self._parser = HttpResponseParser(self)
        self._reason = b""
        self._headers: list[tuple[str, str]] = []
        self._size = 0  # bytes of the head, and of what came with it
        self._has_head = self.ended = self.reusable = False

    def feed(self, data: bytes) -> None:
        """Parse the next bytes.

        Raises:
            InvalidHttpError: they are not part of a response.
        """
        if not self._has_head:
            self._size += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            if not self.ended:
                raise InvalidHttpError(str(error)) from None
        if not self._has_head and self._size > _MAX_HEAD:
            message = f"the head is larger than {_MAX_HEAD:,} bytes"
            raise InvalidHttpError(message)

    def complete_at_eof(self) -> bool:
        """Return whether the end of the connection ends the body."""
        return self._has_head and not any(name.lower() in _FRAMED for name, _ in self._headers)

    def on_status(self, reason: bytes) -> None:
        """Store the reason phrase; called by the parser, as are the methods below."""
        self._reason = reason

    def on_header(self, name: bytes, value: bytes) -> None:
        """Store a header; trailers are ignored."""
        if not self._has_head:
            self._headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        """Report the head, unless it is informational."""
        status = self._parser.get_status_code()
        if self.ended:
            return
        if status >= _FIRST_FINAL:
            self._has_head = True
            self._on_head(Head(status, self._reason.decode("latin-1"), tuple(self._headers)))
            if self._bodiless:
                self.on_message_complete()
        else:
            self._headers.clear()
            self._reason = b""

    def on_body(self, piece: bytes) -> None:
        """Report a piece of the body."""
        if not self.ended:
            self._on_body(piece)

    def on_message_complete(self) -> None:
        """Mark the response complete; the parser decides whether another may follow."""
        if self._has_head and not self.ended:
            self.ended = True
            self.reusable = self._parser.should_keep_alive()
