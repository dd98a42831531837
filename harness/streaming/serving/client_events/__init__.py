"""Client events: what the client of a run receives, as server-sent events.

vocabulary.py holds the tables (message types, usage fields, errors), event.py is one event, its
bytes in both directions and the legal order of a run's events, builder.py builds the events of one
run from chunks.
"""

from __future__ import annotations

from harness.streaming.serving.client_events.builder import ClientEventBuilder, Otid, otid
from harness.streaming.serving.client_events.event import (
    CLIENT_EVENTS,
    DONE,
    ClientEvent,
    ClientEventReader,
    client_event_violations,
    numbered,
    text_of,
    write,
)
from harness.streaming.serving.client_events.vocabulary import (
    FAILURES,
    INTERNAL,
    MESSAGE_TYPES,
    STREAM_INCOMPLETE,
    USAGE_FIELDS,
    Failure,
    failure_of,
)

__all__ = [
    "CLIENT_EVENTS",
    "DONE",
    "FAILURES",
    "INTERNAL",
    "MESSAGE_TYPES",
    "STREAM_INCOMPLETE",
    "USAGE_FIELDS",
    "ClientEvent",
    "ClientEventBuilder",
    "ClientEventReader",
    "Failure",
    "Otid",
    "client_event_violations",
    "failure_of",
    "numbered",
    "otid",
    "text_of",
    "write",
]
