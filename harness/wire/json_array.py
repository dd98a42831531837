"""One JSON array (or a single object) read as it arrives: Gemini's framing without ``alt=sse``.

Rules of this file: every byte is examined once; elements are found by brackets and strings alone,
so a malformed element is still returned, for the caller to refuse.
"""

from __future__ import annotations

import re

from harness.errors import FrameTooLargeError, WireError
from harness.wire.sse import DEFAULT_LIMIT

# Outside a string only quotes and brackets matter; inside one only its end and escapes do.
_OUTSIDE = re.compile(rb'["{}\[\]]')
_INSIDE = re.compile(rb'["\\]')


class Reader:
    """Turns the bytes of a JSON array, cut anywhere, into the texts of its elements.

    Args:
        limit: maximum size of one element in bytes.
    """

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self._limit = limit
        self._pieces: list[bytes] = []
        self._size = 0
        self._depth = 0  # brackets open inside the element
        self._in_string = False
        self._escaped = False
        self._too_large: FrameTooLargeError | None = None

    def feed(self, piece: bytes) -> list[str]:
        """Read the next bytes and return the elements they complete.

        Raises:
            FrameTooLargeError: an element is over the limit. The elements before it are returned
                first, and every later call raises it again, so all cuts have the same outcome.
        """
        self._raise_if_failed()
        found: list[str] = []
        try:
            self._read(piece, found)
        except FrameTooLargeError as error:
            self._too_large = error
            if not found:
                raise
        return found

    def close(self) -> None:
        """Check that no element is incomplete.

        Raises:
            FrameTooLargeError: an element is over the limit.
            WireError: the array ended inside an element.
        """
        self._raise_if_failed()
        if self._depth:
            raise WireError(f"the JSON body ended inside an element of {self._size} bytes")

    def _raise_if_failed(self) -> None:
        if self._too_large:
            raise self._too_large

    def _read(self, piece: bytes, found: list[str]) -> None:
        start = 0 if self._depth else None
        position = 0
        if self._escaped and piece:
            self._escaped, position = False, 1
        while True:
            match = (_INSIDE if self._in_string else _OUTSIDE).search(piece, position)
            if match is None:
                break
            position = match.end()
            start, position = self._turn(piece, match.group(), start, position, found)
        if start is not None:
            self._keep(piece[start:])

    def _turn(
        self, piece: bytes, mark: bytes, start: int | None, position: int, found: list[str]
    ) -> tuple[int | None, int]:
        """Handle one quote, escape or bracket; return the element's start and the next offset."""
        if mark == b"\\":
            self._escaped = position >= len(piece)
            return start, position + 1
        if mark == b'"':
            self._in_string = not self._in_string
        elif mark == b"{" or (mark == b"[" and self._depth):
            self._depth += 1
            if start is None:
                start = position - 1
        elif self._depth:
            self._depth -= 1
            if not self._depth and start is not None:
                self._keep(piece[start:position])
                found.append(b"".join(self._pieces).decode("utf-8", "replace"))
                self._pieces.clear()
                self._size, start = 0, None
        return start, position

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._limit:
            raise FrameTooLargeError(self._size, self._limit)
        self._pieces.append(piece)
