"""Binary event streams of AWS, read and written; Bedrock sends its events in them.

https://smithy.io/2.0/aws/amazon-eventstream.html: a prelude of three big-endian numbers (length of
the message, length of its headers, CRC-32 of those eight bytes), headers, payload, and the CRC-32
of all before it.

Rules of this file: every byte is examined once, however the stream is cut; a length is used only
after its checksum was verified, and so is a message; nothing after corrupt bytes is guessed.
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
SNIFFED = _PRELUDE.size  # bytes needed to recognise such a stream
_OVERHEAD = _PRELUDE.size + _NUMBER.size  # bytes of a message that are neither header nor payload


class Message(NamedTuple):
    """One message: its headers (``:event-type``, ``:message-type`` …) and its payload."""

    headers: Mapping[str, HeaderValue]
    payload: bytes

    def text(self, header: str) -> str:
        """Return the value of a text header, or the empty string."""
        value = self.headers.get(header)
        return value if isinstance(value, str) else ""


def sniff(body: bytes) -> bool:
    """Return whether bytes begin with a prelude whose checksum is correct."""
    if len(body) < _PRELUDE.size:
        return False
    checksum: int = _PRELUDE.unpack_from(body)[2]
    return crc32(body[:8]) == checksum


class Reader:
    """Turns bytes, cut anywhere, into messages.

    Args:
        limit: maximum size of one message in bytes.
    """

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._consumed = 0  # bytes of the stream before those kept
        self._broken: WireError | None = None

    def feed(self, piece: bytes) -> list[Message]:
        """Read the next bytes and return the messages they complete.

        Raises:
            WireError: a checksum or a length is wrong. The messages before it are returned first,
                and every later call raises it again, so all cuts have the same outcome.
            FrameTooLargeError: a message is over the limit; likewise.
        """
        return [message for message, _ in self.feed_with_bytes(piece)]

    def feed_with_bytes(self, piece: bytes) -> list[tuple[Message, bytes]]:
        """Return the same messages with the bytes of each; raises as ``feed``."""
        self._raise_if_failed()
        self._buffer += piece
        found: list[tuple[Message, bytes]] = []
        try:
            while (size := self._size()) is not None and len(self._buffer) >= size:
                found.append(self._take(size))
        except WireError as error:
            self._broken = error
            if not found:
                raise
        return found

    def close(self) -> None:
        """Check that the stream ended after a complete message.

        Raises:
            WireError: it ended inside a message, or ``feed`` failed before.
        """
        self._raise_if_failed()
        if self._buffer:
            raise self._error(f"ended after {len(self._buffer)} bytes of a message")

    def _raise_if_failed(self) -> None:
        if self._broken:
            raise self._broken

    def _size(self) -> int | None:
        """Return the length of the next message, None while its prelude is incomplete."""
        if len(self._buffer) < _PRELUDE.size:
            return None
        size, headers, checksum = _PRELUDE.unpack_from(self._buffer)
        if crc32(self._buffer[:8]) != checksum:
            raise self._error("the checksum of a prelude is wrong")
        if size < _OVERHEAD + headers:
            raise self._error(f"a message of {size} bytes cannot hold {headers} bytes of headers")
        if size > self._limit:
            raise FrameTooLargeError(size, self._limit)
        return int(size)

    def _take(self, size: int) -> tuple[Message, bytes]:
        raw = bytes(memoryview(self._buffer)[:size])
        (checksum,) = _NUMBER.unpack_from(raw, size - _NUMBER.size)
        if crc32(memoryview(raw)[: -_NUMBER.size]) != checksum:
            raise self._error("the checksum of a message is wrong")
        _, headers, payload = split(raw)
        try:
            taken = Message(_read_headers(headers), payload)
        except (struct.error, IndexError, UnicodeDecodeError, ValueError):
            raise self._error("the headers of a message cannot be read") from None
        del self._buffer[:size]
        self._consumed += size
        return taken, raw

    def _error(self, problem: str) -> WireError:
        return WireError(f"AWS event stream, byte {self._consumed:,}: {problem}")


def split(message: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the prelude, the headers and the payload of one message's bytes."""
    start = _PRELUDE.size + _PRELUDE.unpack_from(message)[1]
    end = len(message) - _NUMBER.size
    return message[: _PRELUDE.size], message[_PRELUDE.size : start], message[start:end]


def with_checksum(message: bytes) -> bytes:
    """Return bytes followed by their checksum."""
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


# The type byte of a header -> the function that reads its value: (headers, offset) -> value, end.
_VALUES: Mapping[int, Callable[[bytes, int], tuple[HeaderValue, int]]] = {
    0: lambda _, at: (True, at),
    1: lambda _, at: (False, at),
    2: _fixed("b"),
    3: _fixed("h"),
    4: _fixed("i"),
    5: _fixed("q"),
    6: _counted,
    7: _text,
    8: _fixed("q"),  # a timestamp, in milliseconds since 1970
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
    """Return the bytes of one message with text headers, as all of Bedrock's are."""
    coded = b"".join(_write_header(name, value) for name, value in headers.items())
    size = _OVERHEAD + len(coded) + len(payload)
    lengths = struct.pack(">II", size, len(coded))
    return with_checksum(with_checksum(lengths) + coded + payload)


def _write_header(name: str, value: str) -> bytes:
    coded_name, coded = name.encode(), value.encode()
    return (
        struct.pack(">B", len(coded_name)) + coded_name + struct.pack(">BH", 7, len(coded)) + coded
    )
