"""The fast path: events decoded straight from the wire, with the attributes an SDK's would have.

An SDK spends 50 to 500 microseconds on building the typed model of one event, which no interface
here looks at. This file turns a response body into light objects instead: the JSON objects
themselves, whose keys can also be read as attributes. ``response.usage_metadata`` reads
``usageMetadata`` where the provider writes lowerCamelCase.

Rules of this file: nothing is copied, renamed or dropped, so a tool's arguments stay as the model
wrote them; what is missing reads as None; each attribute name is converted once. A field called as
a method of ``dict`` (``items``, ``keys`` …) is read by its key.
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

DONE = "[DONE]"  # what OpenAI's streams end with; it is no event


class WireObject(dict[str, Any]):
    """A JSON object whose keys are attributes too; a missing one reads as None."""

    __slots__ = ()

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    else:  # dict.get itself, so that reading an attribute runs no Python code
        __getattr__ = dict.get


class CamelObject(dict[str, Any]):
    """A JSON object with lowerCamelCase keys; its attributes are in snake_case.

    The first time a name is read, a property for it is put on the class: from then on the name
    costs one look-up and no conversion.
    """

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        key = json_name(name)
        setattr(CamelObject, name, property(methodcaller("get", key)))
        return self.get(key)


class WireEvents:
    """Turns a response body, cut anywhere, into light events: server-sent or one JSON array.

    Args:
        protocol: the protocol's word, which decides how its keys are spelled.
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
            ProtocolError: the data of an event is no JSON.
            WireError: an event grew over the limit.
        """
        reader = self._reader
        if reader is None:
            start = piece.lstrip()[:1]
            if not start:
                return []
            kind = json_array.Reader if start in b"[{" else sse.Reader
            self._reader = reader = kind(self._limit)
        found = reader.feed(piece)
        texts = (frame if isinstance(frame, str) else frame.data for frame in found)
        return [event for text in texts for event in self._events(text)]

    def close(self) -> list[Any]:
        """Return the last event, where it came whole but for its blank line; half of one is lost.

        That a stream broke off is seen by its interface, as no terminal came (catalogue TR-012).
        """
        left = self._reader.close() if isinstance(self._reader, sse.Reader) else None
        try:
            return [] if left is None else self._events(left.data)
        except ProtocolError:
            return []

    def _events(self, text: str) -> list[Any]:
        self._done = self._done or text == DONE
        if self._done:
            return []
        try:
            return [self._decode(text)]
        except ValueError as error:
            raise protocol_error(f"an event is no JSON ({error}): {text[:80]!r}") from error


def wire_events(pieces: Iterable[bytes], protocol: str) -> Generator[Any, None, None]:
    """Yield the light events of a response body; see ``WireEvents`` for what it raises."""
    reader = WireEvents(protocol)
    for piece in pieces:
        yield from reader.feed(piece)
    yield from reader.close()


async def wire_events_async(
    pieces: AsyncIterable[bytes], protocol: str
) -> AsyncGenerator[Any, None]:
    """Yield the light events of a response body as its bytes arrive."""
    reader = WireEvents(protocol)
    async for piece in pieces:
        for event in reader.feed(piece):
            yield event
    for event in reader.close():
        yield event
