"""Response bodies: server-sent events, JSON lines, one JSON array, AWS's binary events.

A body keeps its bytes, with one exception: JSON lines of a supported protocol, which tools write
that decoded the stream, are framed again as events.
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

_SSE_FIELDS = (b"data:", b"event:", b"id:", b"retry:", b":")  # how a line may begin
_YAML = frozenset({".yaml", ".yml"})  # may begin the same way


def is_binary(source: Source) -> bool:
    """Return whether a file contains AWS's binary events."""
    return event_stream.sniff(source.body)


def read_binary(source: Source) -> Cassette:
    """Read AWS's binary events, as Bedrock sends them."""
    return _body(source, event_stream.CONTENT_TYPE)


def is_events(source: Source) -> bool:
    """Return whether a file contains server-sent events."""
    begins = source.body.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(_SSE_FIELDS)
    return begins and source.path.suffix not in _YAML


def read_events(source: Source) -> Cassette:
    """Read server-sent events."""
    return _body(source, EVENT_STREAM)


def is_array(source: Source) -> bool:
    """Return whether a file contains one JSON array, as Gemini sends without ``alt=sse``."""
    return source.body.lstrip()[:1] == b"["


def read_array(source: Source) -> Cassette:
    """Read one JSON array."""
    return _body(source, JSON_TEXT)


def is_lines(source: Source) -> bool:
    """Return whether a file contains one JSON object per line; a single one must be an event."""
    lines = list(source.lines())
    if not all(line.startswith(b"{") for _, line in lines):
        return False
    return len(lines) > 1 or protocol_among([Event(None, source.document)]) is not None


def read_lines(source: Source) -> Cassette:
    """Read JSON lines; those of a supported protocol are framed again as events."""
    values = [source.json(line, number) for number, line in source.lines()]
    protocol_name = source.protocol or protocol_among(Event(None, value) for value in values)
    name = source.path.name
    if protocol_name is None:
        provenance = Provenance(what=name)
        return Cassette((exchange(source.body, JSON_LINES, None, provenance),))
    provenance = Provenance(what=f"{name}, its lines framed again as events")
    lines = (line.decode() for _, line in source.lines())
    body = framed(zip(values, lines, strict=True), protocol_name)
    return Cassette((exchange(body, EVENT_STREAM, protocol_name, provenance),))


def _body(source: Source, content_type: str) -> Cassette:
    try:
        events = list(events_of([source.body]))
    except WireError as error:
        raise source.error(str(error)) from None
    if not events:
        raise source.error("contains no event; is it the body of a stream?")
    protocol_name = source.protocol or protocol_among(events)
    provenance = Provenance(what=source.path.name)
    return Cassette((exchange(source.body, content_type, protocol_name, provenance),))
