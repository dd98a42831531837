"""Content codings decoded, at once or incrementally, in bounded memory.

Rules of this file: a stored body that does not match its header was decoded by its recorder and
stays as it is; a truncated body is decoded as far as possible; output comes in pieces, however
small the input, and the size of a decoded body is limited.
"""

from __future__ import annotations

import zlib
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from harness.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

LIMIT = 256 * 1024 * 1024  # bytes of one decoded body
PIECE = 64 * 1024  # bytes per output piece; Brotli's library returns up to 50 % more
_MAGIC = b"\x1f\x8b"  # RFC 1952, 2.3.1
_GZIP, _ZLIB, _RAW = zlib.MAX_WBITS | 16, zlib.MAX_WBITS, -zlib.MAX_WBITS
_HEADER = 2  # bytes of zlib's header, and of gzip's magic number
_WINDOW = 23  # RFC 9659, 3: the largest window of Zstandard on the web, 8 MB


class _Decoder(Protocol):
    """Decodes one coding; ``error`` is what it raises for invalid bytes."""

    error: type[Exception]

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the decoded next bytes."""


class _Zlib:
    """Decodes the formats of zlib.

    Args:
        form: the format, zlib's ``wbits``.
        next_magic: the first bytes of a further member, empty if there can be none.
    """

    error: type[Exception] = zlib.error

    def __init__(self, form: int, next_magic: bytes = b"") -> None:
        self._form, self._next_magic = form, next_magic
        self._decoder = zlib.decompressobj(form)
        self._pending = b""  # too few bytes to recognise a further member

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the decoded next bytes."""
        data, full = self._pending + data, False
        self._pending = b""
        while data or full:
            if self._decoder.eof and not self._start_next(data):
                return
            piece = self._decoder.decompress(data, PIECE)
            data = self._decoder.unconsumed_tail or self._decoder.unused_data
            full = len(piece) == PIECE and not self._decoder.eof
            yield piece

    def _start_next(self, data: bytes) -> bool:
        """Start the next member, if one follows; other bytes are ignored."""
        if self._next_magic and data == self._next_magic[: len(data)] != self._next_magic:
            self._pending = data
            return False
        if not (self._next_magic and data.startswith(self._next_magic)):
            self._next_magic = b""
            return False
        self._decoder = zlib.decompressobj(self._form)
        return True


class _Deflate:
    """Decodes zlib's format, or the raw one that some servers send instead (RFC 9110, 8.4.1.2)."""

    error: type[Exception] = zlib.error

    def __init__(self) -> None:
        self._start = b""
        self._decoder: _Zlib | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the decoded next bytes; the first two identify the format (RFC 1950, 2.2)."""
        if self._decoder is None:
            self._start += data
            if len(self._start) < _HEADER:
                return
            first = self._start[0]
            multiple_of_31 = int.from_bytes(self._start[:_HEADER]) % 31 == 0
            has_header = first & 15 == 8 and multiple_of_31  # noqa: PLR2004 - the RFC's numbers
            self._decoder, data = _Zlib(_ZLIB if has_header else _RAW), self._start
        yield from self._decoder.feed(data)


class _Brotli:
    """Decodes Brotli (RFC 7932)."""

    def __init__(self) -> None:
        library = _library("br", "brotli", "brotlicffi")
        self.error: type[Exception] = library.error
        self._decoder = library.Decompressor()
        if not hasattr(self._decoder, "can_accept_more_data"):  # before 1.2, output is not bounded
            raise _missing("br")

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the decoded next bytes, until the library accepts more input."""
        piece = self._decoder.process(data, output_buffer_limit=PIECE)
        while piece or not self._decoder.can_accept_more_data():
            yield piece
            if self._decoder.is_finished():
                return
            piece = self._decoder.process(b"", output_buffer_limit=PIECE)


class _Zstandard:
    """Decodes Zstandard (RFC 8878), frame after frame."""

    def __init__(self) -> None:
        self._library = _library("zstd", "compression.zstd", "backports.zstd")
        self.error: type[Exception] = self._library.ZstdError
        self._start_next()

    def _start_next(self) -> None:
        options = {self._library.DecompressionParameter.window_log_max: _WINDOW}
        self._decoder = self._library.ZstdDecompressor(options=options)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the decoded next bytes."""
        while True:
            if self._decoder.eof:
                if not data:
                    return
                self._start_next()
            yield self._decoder.decompress(data, PIECE)
            data = self._decoder.unused_data if self._decoder.eof else b""
            if self._decoder.needs_input:
                return


_DECODERS: Mapping[str, Callable[[], _Decoder]] = {
    "gzip": lambda: _Zlib(_GZIP, _MAGIC),
    "x-gzip": lambda: _Zlib(_GZIP, _MAGIC),
    "deflate": _Deflate,
    "br": _Brotli,
    "zstd": _Zstandard,
}
_UNSUPPORTED = frozenset({"compress", "x-compress", "dcb", "dcz"})


def _library(coding: str, *names: str) -> Any:
    for name in names:
        with suppress(ImportError):
            return import_module(name)
    raise _missing(coding)


def _missing(coding: str) -> InputError:
    cure = "pip install 'llm-stream-harness[codings]' to decode it"
    return InputError(f"the body is compressed with {coding}; {cure}")


class ContentDecoder:
    """Decodes the codings of one body while it arrives.

    Args:
        codings: values of ``content-encoding``, the last one applied first.
        limit: maximum decoded size in bytes, of each coding.

    Raises:
        InputError: a coding is not supported, or its library is not installed.
    """

    def __init__(self, codings: Iterable[str], limit: int = LIMIT) -> None:
        self._stages = [_Stage(coding, limit) for coding in codings if coding != "identity"]

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the decoded next bytes, piece by piece.

        Raises:
            InputError: the body is over the limit, or the bytes are not valid for the coding.
        """
        pieces: Iterable[bytes] = (data,)
        for stage in self._stages:
            pieces = stage.decode_all(pieces)
        yield from pieces


class _Stage:
    """One coding of a body, and how many more bytes it may decode to."""

    def __init__(self, coding: str, limit: int) -> None:
        if coding not in _DECODERS:
            raise InputError(f"the body is compressed with {coding}, which is not supported")
        self._coding, self._limit, self._remaining = coding, limit, limit
        self._decoder = _DECODERS[coding]()

    def decode_all(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            yield from self._decode(piece)

    def _decode(self, data: bytes) -> Iterator[bytes]:
        try:
            for piece in self._decoder.feed(data):
                self._remaining -= len(piece)
                if self._remaining < 0:
                    message = f"the decompressed body is larger than {self._limit:,} bytes"
                    raise InputError(message)
                if piece:
                    yield piece
        except self._decoder.error:
            raise InputError(
                f"the body is not a complete {self._coding} stream; record it again"
            ) from None


def decoded(body: bytes, coding: str, limit: int = LIMIT) -> bytes:
    """Return a body without one content coding.

    Args:
        body: the bytes as they were stored.
        coding: a value of ``content-encoding``.
        limit: maximum decoded size in bytes.

    Raises:
        InputError: the body is over the limit, or the coding is not supported.
    """
    if _is_text(body) or not (coding in _DECODERS or coding in _UNSUPPORTED):
        return body  # no coding listed here produces UTF-8
    if coding.endswith("gzip") and not body.startswith(_MAGIC):
        return body
    return b"".join(ContentDecoder([coding], limit).feed(body))


def codings_of(fields: Iterable[str]) -> list[str]:
    """Return the codings of a body, the last one applied first (RFC 9110, 8.4).

    Args:
        fields: the values of its ``content-encoding`` headers.
    """
    names = [name.strip().lower() for field in fields for name in field.split(",")]
    return [name for name in reversed(names) if name]


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
