"""Bedrock's frames, unwrapped: the events of Anthropic inside, exceptions, and Converse."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from harness.errors import WireError
from harness.model import Event
from harness.protocols.events import events_of
from harness.wire import event_stream


def message(kind: str, payload: Any, message_type: str = "event") -> bytes:
    word = ":event-type" if message_type == "event" else f":{message_type}-type"
    headers = {word: kind, ":content-type": "application/json", ":message-type": message_type}
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return event_stream.write(headers, body)


def chunk(data: Any) -> bytes:
    return message("chunk", {"bytes": b64encode(json.dumps(data).encode()).decode(), "p": "abc"})


def test_a_chunk_is_the_event_inside_it_named_by_its_type() -> None:
    start, stop = {"type": "message_start", "message": {}}, {"type": "message_stop"}
    body = chunk(start) + chunk(stop) + chunk({"outputText": "Titan"})
    expected = [
        Event("message_start", start),
        Event("message_stop", stop),
        Event(None, {"outputText": "Titan"}),
    ]
    assert list(events_of([body])) == expected
    assert list(events_of([body[:1], body[1:5], b"", body[5:]])) == expected


def test_an_exception_is_an_error_with_bedrocks_own_type() -> None:
    body = message("throttlingException", {"message": "Too many"}, "exception")
    assert list(events_of([body])) == [
        Event(
            "error",
            {"type": "error", "error": {"type": "throttlingException", "message": "Too many"}},
        )
    ]


def test_an_error_without_a_payload_takes_its_message_from_the_headers() -> None:
    headers = {":message-type": "error", ":error-code": "500", ":error-message": "Oh"}
    [event] = events_of([event_stream.write(headers, b"")])
    assert event.data == {"type": "error", "error": {"type": "500", "message": "Oh"}}


def test_converse_keeps_its_own_events() -> None:
    body = message("messageStart", {"role": "assistant", "p": "ab"})
    assert list(events_of([body])) == [Event("messageStart", {"role": "assistant", "p": "ab"})]


@pytest.mark.parametrize(
    "payload",
    [b"", b"{}", b'{"bytes": 5}', b'{"bytes": "!"}', b'{"bytes": "gA=="}', b'{"bytes": "W10="}'],
)
def test_a_chunk_that_cannot_be_unwrapped_is_passed_on_unchanged(payload: bytes) -> None:
    [event] = events_of([message("chunk", payload)])
    assert event.name is None
    assert event.data in (payload.decode(), json.loads(payload or b"0"))


def test_a_stream_that_ends_within_a_message_is_an_error() -> None:
    with pytest.raises(WireError, match="AWS event stream, byte 0: ended after"):
        list(events_of([chunk({"type": "ping"})[:-1]]))
