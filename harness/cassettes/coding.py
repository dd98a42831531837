"""Content codings undone, whole or piece by piece, within bounds.

Rules of this file: a stored body that is not what its header says was decoded by whoever recorded
it, and stays as it is; what was cut short is given as far as it goes; what comes out comes in
pieces, however little went in, and no body grows without limit.
"""

from __future__ import annotations

import zlib
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from harness.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

LIMIT = 256 * 1024 * 1024  # bytes; of one body decoded
PIECE = 64 * 1024  # bytes that come out at once; Brotli's library gives up to half as many more
_MAGIC = b"\x1f\x8b"  # RFC 1952, 2.3.1
_GZIP, _ZLIB, _RAW = zlib.MAX_WBITS | 16, zlib.MAX_WBITS, -zlib.MAX_WBITS
_HEADER = 2  # bytes that begin zlib's form, and that tell gzip's next member
_WINDOW = 23  # RFC 9659, 3: the largest of Zstandard on the web, 8 MB


class _Machine(Protocol):
    """What undoes one coding; ``error`` is what it raises where the bytes are none of it."""

    error: type[Exception]

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what comes of the next bytes."""


class _Zlib:
    """Undoes what zlib knows.

    Args:
        form: the form of the bytes, zlib's ``wbits``.
        next_one: how another member behind the first begins, the empty bytes where none follows.
    """

    error: type[Exception] = zlib.error

    def __init__(self, form: int, next_one: bytes = b"") -> None:
        self._form, self._next_one = form, next_one
        self._machine = zlib.decompressobj(form)
        self._held = b""  # too little to tell what follows

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what comes of the next bytes."""
        data, full = self._held + data, False
        self._held = b""
        while data or full:
            if self._machine.eof and not self._begin(data):
                return
            piece = self._machine.decompress(data, PIECE)
            data = self._machine.unconsumed_tail or self._machine.unused_data
            full = len(piece) == PIECE and not self._machine.eof
            yield piece

    def _begin(self, data: bytes) -> bool:
        """Begin the next member, if one follows; what else follows is nobody's."""
        if self._next_one and data == self._next_one[: len(data)] != self._next_one:
            self._held = data
            return False
        if not (self._next_one and data.startswith(self._next_one)):
            self._next_one = b""
            return False
        self._machine = zlib.decompressobj(self._form)
        return True


class _Deflate:
    """Undoes zlib's form, or the bare one that some servers send instead (RFC 9110, 8.4.1.2)."""

    error: type[Exception] = zlib.error

    def __init__(self) -> None:
        self._begun = b""
        self._machine: _Zlib | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what comes of the next bytes; the first two tell the form (RFC 1950, 2.2)."""
        if self._machine is None:
            self._begun += data
            if len(self._begun) < _HEADER:
                return
            zlibs = self._begun[0] & 15 == 8 and int.from_bytes(self._begun[:_HEADER]) % 31 == 0  # noqa: PLR2004 - the RFC's numbers
            self._machine, data = _Zlib(_ZLIB if zlibs else _RAW), self._begun
        yield from self._machine.feed(data)


class _Brotli:
    """Undoes Brotli (RFC 7932)."""

    def __init__(self) -> None:
        library = _library("br", "brotli", "brotlicffi")
        self.error: type[Exception] = library.error
        self._machine = library.Decompressor()
        if not hasattr(self._machine, "can_accept_more_data"):  # before 1.2 without bounds
            raise _missing("br")

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what comes of the next bytes; it says that it takes more while more is to come."""
        piece = self._machine.process(data, output_buffer_limit=PIECE)
        while piece or not self._machine.can_accept_more_data():
            yield piece
            if self._machine.is_finished():
                return
            piece = self._machine.process(b"", output_buffer_limit=PIECE)


class _Zstandard:
    """Undoes Zstandard (RFC 8878), frame after frame."""

    def __init__(self) -> None:
        self._library = _library("zstd", "compression.zstd", "backports.zstd")
        self.error: type[Exception] = self._library.ZstdError
        self._begin()

    def _begin(self) -> None:
        most = {self._library.DecompressionParameter.window_log_max: _WINDOW}
        self._machine = self._library.ZstdDecompressor(options=most)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what comes of the next bytes."""
        while True:
            if self._machine.eof:
                if not data:
                    return
                self._begin()
            yield self._machine.decompress(data, PIECE)
            data = self._machine.unused_data if self._machine.eof else b""
            if self._machine.needs_input:
                return


_UNDO: Mapping[str, Callable[[], _Machine]] = {
    "gzip": lambda: _Zlib(_GZIP, _MAGIC),
    "x-gzip": lambda: _Zlib(_GZIP, _MAGIC),
    "deflate": _Deflate,
    "br": _Brotli,
    "zstd": _Zstandard,
}
_FOREIGN = frozenset({"compress", "x-compress", "dcb", "dcz"})


def _library(coding: str, *names: str) -> Any:
    for name in names:
        with suppress(ImportError):
            return import_module(name)
    raise _missing(coding)


def _missing(coding: str) -> InputError:
    cure = "pip install 'llm-stream-harness[codings]' to have it undone"
    return InputError(f"the body is compressed with {coding}; {cure}")


class ContentDecoder:
    """The codings of one body, undone while it arrives.

    Args:
        codings: words of ``content-encoding``, the last one applied first.
        limit: the most bytes that may come of each.

    Raises:
        InputError: nothing here undoes one of them.
    """

    def __init__(self, codings: Iterable[str], limit: int = LIMIT) -> None:
        self._stages = [_Stage(coding, limit) for coding in codings if coding != "identity"]

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what comes of the next bytes, piece by piece.

        Raises:
            InputError: it grows over the limit, or the bytes are not what they are called.
        """
        pieces: Iterable[bytes] = (data,)
        for stage in self._stages:
            pieces = stage.all(pieces)
        yield from pieces


class _Stage:
    """One coding of a body, and how many bytes may still come of it."""

    def __init__(self, coding: str, limit: int) -> None:
        if coding not in _UNDO:
            raise InputError(f"the body is compressed with {coding}, which is not undone here")
        self._coding, self._limit, self._left = coding, limit, limit
        self._machine = _UNDO[coding]()

    def all(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            yield from self._one(piece)

    def _one(self, data: bytes) -> Iterator[bytes]:
        try:
            for piece in self._machine.feed(data):
                self._left -= len(piece)
                if self._left < 0:
                    words = f"the body grows over {self._limit:,} bytes when it is decompressed"
                    raise InputError(words)
                if piece:
                    yield piece
        except self._machine.error:
            raise InputError(
                f"the body is not a complete {self._coding} stream; record it again"
            ) from None


def decoded(body: bytes, coding: str, limit: int = LIMIT) -> bytes:
    """Return a body without one content coding.

    Args:
        body: the bytes as they were stored.
        coding: a word of ``content-encoding``.
        limit: the most bytes that may come of it.

    Raises:
        InputError: it grows over the limit, or nothing here undoes the coding.
    """
    if _is_text(body) or not (coding in _UNDO or coding in _FOREIGN):
        return body  # no coding known here writes UTF-8
    if coding.endswith("gzip") and not body.startswith(_MAGIC):
        return body
    return b"".join(ContentDecoder([coding], limit).feed(body))


def codings_of(fields: Iterable[str]) -> list[str]:
    """Return the codings of a body, the last one applied first (RFC 9110, 8.4).

    Args:
        fields: the values of its ``content-encoding`` headers.
    """
    words = [word.strip().lower() for field in fields for word in field.split(",")]
    return [word for word in reversed(words) if word]


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
