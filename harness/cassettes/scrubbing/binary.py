"""A whole body of AWS's binary events scrubbed: their texts lie in base64, under checksums.

Rules of this file: masks are as long as what they cover, so every text keeps its place; a body in
which nothing was found keeps its bytes; where something was, the checksums are made anew.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, NamedTuple

from harness.errors import InputError
from harness.wire import event_stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.wire.event_stream import Message

_DATA, _END = b"data: ", b"\n\n"  # fragments are joined over the events of a stream


class _Text(NamedTuple):
    """The text of one message; ``coded`` is its base64 in the payload, None where it is bare."""

    message: Message
    text: bytes
    coded: bytes | None

    def payload(self, text: bytes) -> bytes:
        """Return the payload with another text of the same length."""
        if self.coded is None:
            return text
        return self.message.payload.replace(self.coded, b64encode(text), 1)


def scrubbed(body: bytes, content: Callable[[bytes], bytes]) -> bytes:
    """Return a body without the secrets in its events.

    Args:
        body: the whole body.
        content: masks what it is given, and keeps its length.

    Raises:
        WireError: the body is no event stream, or breaks off.
        InputError: it holds a secret, and headers that are no texts, so it cannot be made anew.
    """
    texts = [*_texts(body)]
    told = b"".join(_DATA + found.text + _END for found in texts)
    masked = content(told)
    if masked == told:
        return body
    return b"".join(_written(texts, masked))


def _texts(body: bytes) -> Iterator[_Text]:
    reader = event_stream.Reader()
    for message in reader.feed(body):
        coded = _coded(message.payload)
        yield _Text(message, message.payload if coded is None else b64decode(coded), coded)
    reader.close()


def _coded(payload: bytes) -> bytes | None:
    """Return the base64 of an event inside a payload."""
    try:
        coded = json.loads(payload)["bytes"].encode()
        sound = b64encode(b64decode(coded, validate=True)) == coded
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return coded if sound and coded in payload else None


def _written(texts: list[_Text], masked: bytes) -> Iterator[bytes]:
    at = 0
    for found in texts:
        start = at + len(_DATA)
        at = start + len(found.text) + len(_END)
        payload = found.payload(masked[start : start + len(found.text)])
        yield event_stream.write(_headers(found.message), payload)


def _headers(message: Message) -> dict[str, str]:
    texts = {name: said for name, said in message.headers.items() if isinstance(said, str)}
    if len(texts) < len(message.headers):
        raise InputError("a binary event holds a secret, and headers that are no texts")
    return texts
