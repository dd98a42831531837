"""Bodies as they were read: server-sent events, JSON lines, one JSON array, AWS's binary events.

A body keeps its bytes, except that the JSON lines of a protocol whose SDKs read events are framed
as such; those lines are what tools keep that decoded the stream.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.cassettes.cassette import Cassette, Provenance
from harness.cassettes.importing.exchanges import JSON_LINES, JSON_TEXT, exchange, framed
from harness.errors import WireError
from harness.model import Event
from harness.protocols.bodies import protocol_among
from harness.protocols.events import events_of
from harness.wire import event_stream
from harness.wire.script import EVENT_STREAM

if TYPE_CHECKING:
    from harness.cassettes.importing.source import Source

_SSE_FIELDS = (b"data:", b"event:", b"id:", b"retry:", b":")  # what a line may begin with
_YAML = frozenset({".yaml", ".yml"})  # begins the same way


def is_binary(source: Source) -> bool:
    """Say whether a file holds AWS's binary events."""
    return event_stream.sniff(source.body)


def read_binary(source: Source) -> Cassette:
    """Read AWS's binary events, as Bedrock sends them."""
    return _whole(source, event_stream.CONTENT_TYPE)


def is_events(source: Source) -> bool:
    """Say whether a file holds server-sent events."""
    begins = source.body.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(_SSE_FIELDS)
    return begins and source.path.suffix not in _YAML


def read_events(source: Source) -> Cassette:
    """Read server-sent events."""
    return _whole(source, EVENT_STREAM)


def is_array(source: Source) -> bool:
    """Say whether a file holds one JSON array, as Gemini sends without ``alt=sse``."""
    return source.body.lstrip()[:1] == b"["


def read_array(source: Source) -> Cassette:
    """Read one JSON array."""
    return _whole(source, JSON_TEXT)


def is_lines(source: Source) -> bool:
    """Say whether a file holds JSON objects, one a line; a single one only if it is an event."""
    lines = list(source.lines())
    if not all(line.startswith(b"{") for _, line in lines):
        return False
    return len(lines) > 1 or protocol_among([Event(None, source.document)]) is not None


def read_lines(source: Source) -> Cassette:
    """Read JSON lines; those of a protocol that is spoken here become events again."""
    values = [source.json(line, number) for number, line in source.lines()]
    spoken = source.protocol or protocol_among(Event(None, value) for value in values)
    name = source.path.name
    if spoken is None:
        kept = Provenance(what=name)
        return Cassette((exchange(source.body, JSON_LINES, None, kept),))
    made = Provenance(what=f"{name}, its lines framed again as events")
    lines = (line.decode() for _, line in source.lines())
    body = framed(zip(values, lines, strict=True), spoken)
    return Cassette((exchange(body, EVENT_STREAM, spoken, made),))


def _whole(source: Source, content_type: str) -> Cassette:
    try:
        events = list(events_of([source.body]))
    except WireError as error:
        raise source.refusal(str(error)) from None
    if not events:
        raise source.refusal("holds no event; is it the body of a stream?")
    spoken = source.protocol or protocol_among(events)
    provenance = Provenance(what=source.path.name)
    return Cassette((exchange(source.body, content_type, spoken, provenance),))
