"""Content codings undone: gzip and deflate, within bounds.

Rules of this file: a body that is not what its header says was decoded by whoever recorded it, and
stays as it is; what was cut short is given as far as it goes; no body grows without limit.
"""

from __future__ import annotations

import zlib

from harness.errors import InputError

LIMIT = 256 * 1024 * 1024  # bytes; of one body decoded
_MAGIC = b"\x1f\x8b"  # RFC 1952, 2.3.1
_GZIP, _ZLIB, _RAW = zlib.MAX_WBITS | 16, zlib.MAX_WBITS, -zlib.MAX_WBITS
_FOREIGN = {"br": "Brotli", "zstd": "Zstandard", "compress": "LZW"}


def decoded(body: bytes, coding: str, limit: int = LIMIT) -> bytes:
    """Return a body without one content coding.

    Args:
        body: the bytes as they were stored.
        coding: a word of ``content-encoding``.
        limit: the most bytes that may come of it.

    Raises:
        InputError: it grows over the limit, or nothing here undoes the coding.
    """
    if _is_text(body):  # no coding known here writes UTF-8
        return body
    if coding in _FOREIGN:
        words = f"the body is compressed with {_FOREIGN[coding]}, which is not undone here"
        raise InputError(f"{words}; record with decode_compressed_response=True")
    try:
        return _UNDO[coding](body, limit) if coding in _UNDO else body
    except zlib.error:
        raise InputError(f"the body is no whole {coding}; record it again") from None


def _gunzip(body: bytes, limit: int) -> bytes:
    """Undo each member in turn (RFC 1952, 2.2)."""
    pieces: list[bytes] = []
    rest, left = body, limit
    while rest.startswith(_MAGIC):
        piece, rest = _inflate(rest, _GZIP, left)
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces) if pieces else body


def _deflated(body: bytes, limit: int) -> bytes:
    """Undo zlib's form, or the bare one that some servers send instead (RFC 9110, 8.4.1.2)."""
    try:
        return _inflate(body, _ZLIB, limit)[0]
    except zlib.error:
        return _inflate(body, _RAW, limit)[0]


def _inflate(body: bytes, form: int, limit: int) -> tuple[bytes, bytes]:
    machine = zlib.decompressobj(form)
    piece = machine.decompress(body, limit + 1)
    if len(piece) > limit:
        raise InputError(f"the body grows over {limit:,} bytes when it is decompressed")
    return piece, machine.unused_data


_UNDO = {"gzip": _gunzip, "x-gzip": _gunzip, "deflate": _deflated}


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
