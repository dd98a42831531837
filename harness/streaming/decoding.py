"""The fast path: events decoded straight from the wire, with the attributes of an SDK's events.

An SDK spends 50 to 500 microseconds on the typed model of one event, which no interface here needs.
This file decodes a response body into plain JSON objects whose keys can also be read as attributes;
``response.usage_metadata`` reads ``usageMetadata`` where the provider writes lowerCamelCase.

Rules of this file: nothing is copied, renamed or dropped, so a tool's arguments stay as the model
wrote them; a missing key reads as None; each attribute name is converted once. A key with the name
of a ``dict`` method (``items``, ``keys`` …) can only be read as a key.
"""

from __future__ import annotations

import json
from operator import methodcaller
from typing import TYPE_CHECKING, Any

from harness.errors import ProtocolError
from harness.protocols import protocol as protocol_named
from harness.protocols.paths import json_name
from harness.streaming.error_mapping import protocol_error
from harness.wire import json_array, sse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable

DONE = "[DONE]"  # the end marker of OpenAI's streams, not an event


class WireObject(dict[str, Any]):
    """A JSON object whose keys are attributes too; a missing one reads as None."""

    __slots__ = ()

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    else:  # dict.get itself: reading an attribute runs no Python code
        __getattr__ = dict.get


class CamelObject(dict[str, Any]):
    """A JSON object with lowerCamelCase keys; its attributes are in snake_case.

    Reading a name for the first time adds a property for it to the class, so later reads need no
    conversion.
    """

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        key = json_name(name)
        setattr(CamelObject, name, property(methodcaller("get", key)))
        return self.get(key)


class WireEvents:
    """Decodes a response body, cut anywhere, into events: server-sent events or one JSON array.

    Args:
        protocol: the name of the protocol, which decides how its keys are spelled.
        limit: the most bytes one event may hold.
    """

    def __init__(self, protocol: str, limit: int = sse.DEFAULT_LIMIT) -> None:
        hook = CamelObject if protocol_named(protocol).framing.camel_case else WireObject
        self._decode = json.JSONDecoder(object_hook=hook).decode
        self._limit = limit
        self._reader: sse.Reader | json_array.Reader | None = None
        self._done = False

    def feed(self, piece: bytes) -> list[Any]:
        """Take the next bytes and return the events they complete.

        Raises:
            ProtocolError: the data of an event is not JSON.
            WireError: an event grew over the limit.
        """
        reader = self._reader
        if reader is None:
            start = piece.lstrip()[:1]
            if not start:
                return []
            kind = json_array.Reader if start in b"[{" else sse.Reader
            self._reader = reader = kind(self._limit)
        frames = reader.feed(piece)
        texts = (frame if isinstance(frame, str) else frame.data for frame in frames)
        return [event for text in texts for event in self._events(text)]

    def close(self) -> list[Any]:
        """Return the last event where only its blank line is missing; an incomplete one is dropped.

        The interface notices the truncation by the missing terminal event (catalogue TR-012).
        """
        rest = self._reader.close() if isinstance(self._reader, sse.Reader) else None
        try:
            return [] if rest is None else self._events(rest.data)
        except ProtocolError:
            return []

    def _events(self, text: str) -> list[Any]:
        self._done = self._done or text == DONE
        if self._done:
            return []
        try:
            return [self._decode(text)]
        except ValueError as error:
            raise protocol_error(f"an event is not JSON ({error}): {text[:80]!r}") from error


def wire_events(pieces: Iterable[bytes], protocol: str) -> Generator[Any, None, None]:
    """Yield the events of a response body; raises as ``WireEvents.feed`` does."""
    reader = WireEvents(protocol)
    for piece in pieces:
        yield from reader.feed(piece)
    yield from reader.close()


async def wire_events_async(
    pieces: AsyncIterable[bytes], protocol: str
) -> AsyncGenerator[Any, None]:
    """Yield the events of a response body as its bytes arrive."""
    reader = WireEvents(protocol)
    async for piece in pieces:
        for event in reader.feed(piece):
            yield event
    for event in reader.close():
        yield event
