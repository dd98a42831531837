"""Bedrock's binary framing: messages of AWS's event stream as the events inside them.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ResponseStream.html: a ``chunk``
holds, in base64, one event of the model's own protocol; other words are exceptions.
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html: the
Converse API has events of its own, which keep their names.

Rule of this file: what cannot be unwrapped is handed on as it came, for its reader to refuse.
"""

from __future__ import annotations

import binascii
import json
from base64 import b64decode
from typing import TYPE_CHECKING

from harness.wire import event_stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.wire.event_stream import Message

_FAILURES = frozenset({"exception", "error"})  # the words of `:message-type` besides `event`


def read_events(pieces: Iterator[bytes]) -> Iterator[tuple[str | None, str]]:
    """Yield the name and the data of each event.

    Raises:
        WireError: the bytes are no event stream, or break off.
    """
    reader = event_stream.Reader()
    for piece in pieces:
        yield from map(_event, reader.feed(piece))
    reader.close()


def _event(message: Message) -> tuple[str | None, str]:
    payload = message.payload.decode("utf-8", "replace")
    if message.text(":message-type") in _FAILURES:
        return "error", _failure(message, payload)
    name = message.text(":event-type") or None
    return _unwrapped(payload) if name == "chunk" else (name, payload)


def _unwrapped(payload: str) -> tuple[str | None, str]:
    """Return the event inside a chunk; Anthropic's are named by their type."""
    try:
        inner = b64decode(json.loads(payload)["bytes"], validate=True).decode()
        kind = json.loads(inner).get("type")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error):
        return None, payload
    return kind if isinstance(kind, str) else None, inner


def _failure(message: Message, payload: str) -> str:
    """Return an exception in the words of Anthropic's error event, Bedrock's own type kept."""
    kind = message.text(":exception-type") or message.text(":error-code")
    try:
        words = json.loads(payload)["message"]
    except (ValueError, KeyError, TypeError, RecursionError):
        words = message.text(":error-message") or payload
    return json.dumps({"type": "error", "error": {"type": kind, "message": words}})
