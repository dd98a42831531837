"""Server-sent events, read and written according to the WHATWG HTML standard.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

Rules of this file: a line ends at CR, LF or CRLF and nowhere else; every byte is examined once,
however the stream is cut; an event without its closing blank line is returned by ``close`` only,
because a conforming client never dispatches it.
"""

from __future__ import annotations

import itertools
import re
from typing import NamedTuple

from harness.errors import FrameTooLargeError

DEFAULT_LIMIT = 64 * 1024 * 1024  # bytes of one event; real image events reach 2 MB

_LINE_END = re.compile(rb"\r\n|\r|\n")
_BOM = b"\xef\xbb\xbf"


class Frame(NamedTuple):
    """One dispatched event: its name or None, and its ``data:`` lines joined by newlines."""

    event: str | None
    data: str


class Reader:
    """Turns bytes, cut anywhere, into frames.

    Args:
        limit: maximum size of one event in bytes.
    """

    def __init__(self, limit: int = DEFAULT_LIMIT):
        self._limit = limit
        self._partial: list[bytes] = []  # the pieces of a line whose end has not come
        self._size = 0  # bytes of the event being read
        self._after_cr = False  # an LF that comes next belongs to the CR before it
        self._at_start = True
        self._event: str | None = None
        self._data: list[str] = []
        self._has_data = False
        self._too_large: FrameTooLargeError | None = None

    def feed(self, piece: bytes) -> list[Frame]:
        """Read the next bytes and return the frames they complete.

        Raises:
            FrameTooLargeError: an event is over the limit. The frames before it are returned first,
                and every later call raises it again, so all cuts have the same outcome.
        """
        self._raise_if_failed()
        frames: list[Frame] = []
        try:
            self._read(piece, frames)
        except FrameTooLargeError as error:
            self._too_large = error
            if not frames:
                raise
        return frames

    def close(self) -> Frame | None:
        """Return the incomplete event at the end, or None; conforming clients discard it.

        Raises:
            FrameTooLargeError: an event is over the limit.
        """
        self._raise_if_failed()
        if self._partial:
            self._field(self._take_line(b""))
        frames: list[Frame] = []
        self._dispatch(frames)
        return frames[0] if frames else None

    def _raise_if_failed(self) -> None:
        if self._too_large:
            raise self._too_large

    def _read(self, piece: bytes, frames: list[Frame]) -> None:
        if self._after_cr and piece:
            self._after_cr = False
            if piece[:1] == b"\n":
                piece = piece[1:]
        position = 0
        for end in _LINE_END.finditer(piece):
            self._count(end.start() - position + 1)  # CRLF counts as one: a cut may separate it
            line = self._take_line(piece[position : end.start()])
            position = end.end()
            if line:
                self._field(line)
            else:
                self._dispatch(frames)
        if position < len(piece):
            self._partial.append(piece[position:])
            self._count(len(piece) - position)
        self._after_cr = piece[-1:] == b"\r" or (self._after_cr and not piece)

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > self._limit:
            raise FrameTooLargeError(self._size, self._limit)

    def _take_line(self, rest: bytes) -> bytes:
        if self._partial:
            self._partial.append(rest)
            rest = b"".join(self._partial)
            self._partial.clear()
        if self._at_start:
            self._at_start = False
            rest = rest.removeprefix(_BOM)
        return rest

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value.decode("utf-8", "replace"))
            self._has_data = True
        elif name == b"event":
            self._event = value.decode("utf-8", "replace")

    def _dispatch(self, frames: list[Frame]) -> None:
        if self._has_data:
            frames.append(Frame(self._event or None, "\n".join(self._data)))
        self._event, self._data, self._has_data, self._size = None, [], False, 0


_BLOCK = re.compile(rb"(?>\r\n|\r|\n){2,}")


def split(body: bytes) -> tuple[bytes, ...]:
    """Split a recorded body after each blank line; the pieces join to the body, byte for byte."""
    ends = [0, *(end.end() for end in _BLOCK.finditer(body)), len(body)]
    pieces = (body[start:end] for start, end in itertools.pairwise(ends))
    return tuple(piece for piece in pieces if piece)


_TEXT_LINE_END = re.compile("\r\n|\r|\n")


def write(event: str | None, data: str, end: str = "\n") -> bytes:
    """Return the bytes of one event.

    Args:
        event: its name, or None for no ``event:`` line.
        data: its data; each line of it becomes a ``data:`` line.
        end: the line end, LF, CR or CRLF.
    """
    lines = [] if event is None else [f"event: {event}"]
    lines += [f"data: {line}" for line in _TEXT_LINE_END.split(data)]
    return (end.join(lines) + end + end).encode()


def comment(text: str, end: str = "\n") -> bytes:
    """Return the bytes of a comment line and its blank line, as keepalives are sent."""
    return f": {text}{end}{end}".encode()
