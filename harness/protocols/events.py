"""Wire events and their bytes: the text of an event's data, and bodies read into events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.model import Event, repair_surrogates
from harness.wire import sse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.model import JSON

_BINARY = b"\0"  # the first byte of a binary frame's length; no text begins with it
_TEXT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_ASCII = json.JSONEncoder(separators=(",", ":")).encode


def data_text(event: Event) -> str:
    """Return an event's data as the text that is sent."""
    if isinstance(event.data, str):
        return event.data
    return compact(event.data)


def compact(value: JSON) -> str:
    """Return the text of a JSON value without spaces, as providers write it.

    A lone surrogate, which UTF-8 cannot encode, makes the whole text ASCII with escapes.
    """
    text = _TEXT(value)
    return text if text.isascii() or repair_surrogates(text) == text else _ASCII(value)


def event_of(name: str | None, data: str) -> Event:
    """Return the event of one frame; data that is not a JSON object stays text."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return Event(name, data)
    return Event(name, value if isinstance(value, dict) else data)


def events_of(pieces: Iterable[bytes]) -> Iterator[Event]:
    """Read a recorded body, cut anywhere, into events: SSE, one JSON array, or Bedrock's framing.

    Raises:
        WireError: the bytes are none of these, or an event is over the limit.
    """
    source = iter(pieces)
    first = next((piece for piece in source if piece.strip()), b"")
    if first.lstrip()[:1] in {b"[", b"{"}:
        yield from _array_events(first, source)
        return
    if first[:1] == _BINARY:
        from harness.protocols import bedrock

        for name, data in bedrock.read_events(_chain(first, source)):
            yield event_of(name, data)
        return
    reader = sse.Reader()
    for piece in _chain(first, source):
        for frame in reader.feed(piece):
            yield event_of(frame.event, frame.data)
    unfinished = reader.close()
    if unfinished is not None:
        yield event_of(unfinished.event, unfinished.data)


def _array_events(first: bytes, rest: Iterator[bytes]) -> Iterator[Event]:
    from harness.wire import json_array

    reader = json_array.Reader()
    for piece in _chain(first, rest):
        for text in reader.feed(piece):
            yield event_of(None, text)
    reader.close()


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
