"""The frames of a run: what its client is sent, as server-sent events.

words.py holds the tables (message types, errors, stop reasons), frame.py is a frame and its bytes
both ways, framer.py makes the frames of one run from chunks, grammar.py is their legal order.
"""

from __future__ import annotations

from harness.streaming.serving.client_events.builder import ClientEventBuilder
from harness.streaming.serving.client_events.event import (
    DONE,
    ClientEvent,
    ClientEventReader,
    numbered,
    text_of,
    write,
)
from harness.streaming.serving.client_events.grammar import CLIENT_EVENTS, client_event_violations
from harness.streaming.serving.client_events.vocabulary import (
    FAILURES,
    INTERNAL,
    MESSAGE_TYPES,
    STOP_REASON_OF,
    STREAM_INCOMPLETE,
    Failure,
    failure_of,
)

__all__ = [
    "CLIENT_EVENTS",
    "DONE",
    "FAILURES",
    "INTERNAL",
    "MESSAGE_TYPES",
    "STOP_REASON_OF",
    "STREAM_INCOMPLETE",
    "ClientEvent",
    "ClientEventBuilder",
    "ClientEventReader",
    "Failure",
    "client_event_violations",
    "failure_of",
    "numbered",
    "text_of",
    "write",
]
