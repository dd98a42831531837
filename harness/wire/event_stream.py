"""Binary event streams of AWS, read and written: how Bedrock sends its events.

https://smithy.io/2.0/aws/amazon-eventstream.html: a prelude of three big-endian numbers (length of
the message, length of its headers, CRC-32 of those eight bytes), headers, payload, and the CRC-32
of all before it.

Rules of this file: every byte is looked at once, however the stream is cut; a length is believed
only after its checksum, a message only after its own; nothing is guessed behind broken bytes.
"""

from __future__ import annotations

import struct
import uuid
from typing import TYPE_CHECKING, NamedTuple, TypeAlias
from zlib import crc32

from harness.errors import FrameTooLargeError, WireError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HeaderValue: TypeAlias = bool | int | bytes | str

DEFAULT_LIMIT = 24 * 1024 * 1024  # bytes of one message: the limit of AWS's own clients
CONTENT_TYPE = "application/vnd.amazon.eventstream"

_PRELUDE = struct.Struct(">III")
_NUMBER = struct.Struct(">I")
SNIFFED = _PRELUDE.size  # bytes that tell such a stream from others
_ENDS = _PRELUDE.size + _NUMBER.size  # bytes of a message that are neither header nor payload


class Message(NamedTuple):
    """One message: its headers (``:event-type``, ``:message-type`` …) and its payload."""

    headers: Mapping[str, HeaderValue]
    payload: bytes

    def word(self, header: str) -> str:
        """Return a header that holds text, the empty text where there is none."""
        value = self.headers.get(header)
        return value if isinstance(value, str) else ""


def sniff(body: bytes) -> bool:
    """Say whether bytes begin with a prelude whose checksum holds."""
    if len(body) < _PRELUDE.size:
        return False
    checksum: int = _PRELUDE.unpack_from(body)[2]
    return crc32(body[:8]) == checksum


class Reader:
    """Turns bytes, cut anywhere, into messages.

    Args:
        limit: the most bytes one message may hold.
    """

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self._limit = limit
        self._kept = bytearray()
        self._passed = 0  # bytes of the stream before those kept
        self._broken: WireError | None = None

    def feed(self, piece: bytes) -> list[Message]:
        """Take the next bytes and return the messages they complete.

        Raises:
            WireError: a checksum or a length is wrong. The messages before it come first, and once
                raised it is raised ever after, so the outcome is the same for every cut.
            FrameTooLargeError: a message is over the limit; likewise.
        """
        return [message for message, _ in self.take(piece)]

    def take(self, piece: bytes) -> list[tuple[Message, bytes]]:
        """Return the same messages, and the bytes of each; raises as ``feed``."""
        self._refuse()
        self._kept += piece
        found: list[tuple[Message, bytes]] = []
        try:
            while (size := self._size()) is not None and len(self._kept) >= size:
                found.append(self._take(size))
        except WireError as error:
            self._broken = error
            if not found:
                raise
        return found

    def close(self) -> None:
        """Check that the stream ended behind a message.

        Raises:
            WireError: it broke off inside one, or before.
        """
        self._refuse()
        if self._kept:
            raise self._error(f"broke off after {len(self._kept)} bytes of a message")

    def _refuse(self) -> None:
        if self._broken:
            raise self._broken

    def _size(self) -> int | None:
        """Return the length of the message that begins here, None before its prelude is whole."""
        if len(self._kept) < _PRELUDE.size:
            return None
        size, headers, checksum = _PRELUDE.unpack_from(self._kept)
        if crc32(self._kept[:8]) != checksum:
            raise self._error("the checksum of a prelude is wrong")
        if size < _ENDS + headers:
            raise self._error(f"a message of {size} bytes cannot hold {headers} of headers")
        if size > self._limit:
            raise FrameTooLargeError(size, self._limit)
        return int(size)

    def _take(self, size: int) -> tuple[Message, bytes]:
        raw = bytes(memoryview(self._kept)[:size])
        (checksum,) = _NUMBER.unpack_from(raw, size - _NUMBER.size)
        if crc32(memoryview(raw)[: -_NUMBER.size]) != checksum:
            raise self._error("the checksum of a message is wrong")
        _, headers, payload = split(raw)
        try:
            taken = Message(_read_headers(headers), payload)
        except (struct.error, IndexError, UnicodeDecodeError, ValueError):
            raise self._error("the headers of a message cannot be read") from None
        del self._kept[:size]
        self._passed += size
        return taken, raw

    def _error(self, words: str) -> WireError:
        return WireError(f"AWS event stream, byte {self._passed:,}: {words}")


def split(message: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the prelude, the headers and the payload of one message's bytes."""
    behind = _PRELUDE.size + _PRELUDE.unpack_from(message)[1]
    ends = len(message) - _NUMBER.size
    return message[: _PRELUDE.size], message[_PRELUDE.size : behind], message[behind:ends]


def sealed(message: bytes) -> bytes:
    """Return a message's bytes behind which its checksum was missing."""
    return message + _NUMBER.pack(crc32(message))


def _fixed(form: str) -> Callable[[bytes, int], tuple[HeaderValue, int]]:
    layout = struct.Struct(f">{form}")
    return lambda data, at: (layout.unpack_from(data, at)[0], at + layout.size)


def _counted(data: bytes, at: int) -> tuple[bytes, int]:
    (size,) = struct.unpack_from(">H", data, at)
    end = at + 2 + size
    if end > len(data):
        raise ValueError(end)
    return data[at + 2 : end], end


def _text(data: bytes, at: int) -> tuple[str, int]:
    raw, end = _counted(data, at)
    return raw.decode(), end


def _uuid(data: bytes, at: int) -> tuple[str, int]:
    return str(uuid.UUID(bytes=data[at : at + 16])), at + 16


# The type byte of a header -> what reads its value: (headers, place) -> value, place behind it.
_VALUES: Mapping[int, Callable[[bytes, int], tuple[HeaderValue, int]]] = {
    0: lambda _, at: (True, at),
    1: lambda _, at: (False, at),
    2: _fixed("b"),
    3: _fixed("h"),
    4: _fixed("i"),
    5: _fixed("q"),
    6: _counted,
    7: _text,
    8: _fixed("q"),  # a moment, in milliseconds since 1970
    9: _uuid,
}


def _read_headers(data: bytes) -> dict[str, HeaderValue]:
    headers: dict[str, HeaderValue] = {}
    at = 0
    while at < len(data):
        end = at + 1 + data[at]
        name = data[at + 1 : end].decode()
        if data[end] not in _VALUES:
            raise ValueError(data[end])
        headers[name], at = _VALUES[data[end]](data, end + 1)
    return headers


def write(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Return the bytes of one message whose headers are texts, as all of Bedrock's are."""
    coded = b"".join(_write_header(name, value) for name, value in headers.items())
    size = _ENDS + len(coded) + len(payload)
    lengths = struct.pack(">II", size, len(coded))
    return sealed(sealed(lengths) + coded + payload)


def _write_header(name: str, value: str) -> bytes:
    coded_name, coded = name.encode(), value.encode()
    return (
        struct.pack(">B", len(coded_name)) + coded_name + struct.pack(">BH", 7, len(coded)) + coded
    )
