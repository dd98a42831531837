"""Bedrock's binary framing: AWS event-stream messages, read as the events inside them.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ResponseStream.html: a ``chunk``
holds one event of the model's own protocol in base64; other event types are exceptions.
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html: the
Converse API has events of its own, which keep their names.

What cannot be unwrapped is passed on as it arrived, so that its reader reports it.
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

_FAILURES = frozenset({"exception", "error"})  # values of `:message-type` beside `event`


def read_events(pieces: Iterator[bytes]) -> Iterator[tuple[str | None, str]]:
    """Yield the name and the data of each event.

    Raises:
        WireError: the bytes are not an event stream, or end within a message.
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
    """Return the event inside a chunk; an Anthropic event is named by its type."""
    try:
        inner = b64decode(json.loads(payload)["bytes"], validate=True).decode()
        kind = json.loads(inner).get("type")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error):
        return None, payload
    return kind if isinstance(kind, str) else None, inner


def _failure(message: Message, payload: str) -> str:
    """Return an exception as an Anthropic error event, with Bedrock's own error type."""
    kind = message.text(":exception-type") or message.text(":error-code")
    try:
        message_text = json.loads(payload)["message"]
    except (ValueError, KeyError, TypeError, RecursionError):
        message_text = message.text(":error-message") or payload
    return json.dumps({"type": "error", "error": {"type": kind, "message": message_text}})
