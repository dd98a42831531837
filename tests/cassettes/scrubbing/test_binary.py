"""Secrets in AWS's binary events: in base64, in fragments, and in the plain text of Converse."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from harness.cassettes.scrubbing import Scrubber
from harness.errors import InputError
from harness.protocols.events import events_of
from harness.wire import event_stream

KEY = "sk-proj-" + "a1B2" * 12
HEADERS = {":event-type": "chunk", ":message-type": "event"}


def chunk(text: str) -> bytes:
    delta = {"type": "text_delta", "text": text}
    event: dict[str, Any] = {"type": "content_block_delta", "index": 0, "delta": delta}
    inner = b64encode(json.dumps(event).encode()).decode()
    return event_stream.write(HEADERS, json.dumps({"bytes": inner, "p": "abc"}).encode())


def delta_texts(body: bytes) -> list[str]:
    found: list[Any] = [event.data for event in events_of([body])]
    return [event["delta"]["text"] for event in found]


def in_pieces(body: bytes, size: int, scrubber: Scrubber) -> bytes:
    scrubbing = scrubber.body()
    pieces = [scrubbing.feed(body[at : at + size]) for at in range(0, len(body), size)]
    return b"".join([*pieces, scrubbing.close()])


def test_a_fragmented_secret_is_masked_and_the_stream_stays_valid() -> None:
    body = chunk("The key is ") + chunk(KEY[:20]) + chunk(KEY[20:]) + chunk(" indeed")
    scrubber = Scrubber(())
    masked = scrubber.content(body)
    texts = delta_texts(masked)
    assert len(masked) == len(body)
    assert (texts[0], texts[3]) == ("The key is ", " indeed")
    assert [len(text) for text in texts] == [len(text) for text in delta_texts(body)]
    assert not [part for part in (KEY[10:20], KEY[20:40]) if part in "".join(texts)]
    assert scrubber.found.total()


@pytest.mark.parametrize("size", [1, 5, 11, 12, 13, 100, 1000])
def test_where_reads_end_does_not_matter(size: int) -> None:
    body = b"".join(map(chunk, ("The key is ", KEY[:20], KEY[20:], " indeed", "Hello " * 99)))
    assert in_pieces(body, size, Scrubber(())) == Scrubber(()).content(body)


def test_a_message_is_returned_as_soon_as_it_is_decided() -> None:
    scrubbing = Scrubber(()).body()
    assert scrubbing.feed(chunk("Hello there ")) == chunk("Hello there ")
    assert scrubbing.feed(chunk("sk-proj-")) == b""
    assert len(scrubbing.feed(chunk(KEY[8:] + " "))) == len(
        chunk("sk-proj-") + chunk(KEY[8:] + " ")
    )


def test_plain_text_is_masked_too() -> None:
    payload = json.dumps({"contentBlockIndex": 0, "delta": {"text": f"It is {KEY}."}}).encode()
    body = event_stream.write({":event-type": "contentBlockDelta"}, payload)
    [text] = delta_texts(Scrubber(()).content(body))
    assert KEY not in text
    assert text.startswith("It is ")


def test_headers_and_other_fields_of_the_payload_are_masked_too() -> None:
    inner = b64encode(b'{"type":"ping"}').decode()
    payload = json.dumps({"a": KEY, "bytes": inner, "p": KEY}).encode()
    body = event_stream.write({**HEADERS, ":error-message": f"see {KEY}"}, payload)
    masked = Scrubber(()).content(body)
    assert len(masked) == len(body)
    assert KEY[8:].encode() not in masked
    [event] = events_of([masked])
    assert event.data == {"type": "ping"}


def test_messages_without_secrets_keep_their_bytes() -> None:
    body = chunk("Hello") + event_stream.write({}, b"\x00\xff") + event_stream.write({}, b"[1]")
    body += event_stream.write({}, b'{"bytes":""}') + event_stream.write({}, b"")
    assert Scrubber(()).content(body) == body


def test_headers_that_are_not_text_are_kept() -> None:
    headers = b"\x01a\x00"  # a header that is True
    head = (16 + len(headers) + len(KEY)).to_bytes(4, "big") + len(headers).to_bytes(4, "big")
    body = event_stream.with_checksum(event_stream.with_checksum(head) + headers + KEY.encode())
    masked = Scrubber(()).content(body)
    [message] = event_stream.Reader().feed(masked)
    assert message.headers == {"a": True}
    assert message.payload == b"sk-proj-" + b"X" * len(KEY[8:])


def test_an_incomplete_message_is_not_returned() -> None:
    body = chunk("Hello ") + chunk(KEY)[:-1]
    assert in_pieces(body, 99, Scrubber(())) == chunk("Hello ")
    with pytest.raises(InputError, match="ended after"):
        Scrubber(()).content(body)


@pytest.mark.parametrize("coded", ["aGVsbG\\u0038=", 'aGVsbG8=","p":"aGVsbG8='])
def test_base64_that_cannot_be_replaced_is_refused(coded: str) -> None:
    """It can be decoded, but not be written back with a mask."""
    body = event_stream.write(HEADERS, f'{{"bytes":"{coded}"}}'.encode())
    with pytest.raises(InputError, match="not in its canonical form"):
        Scrubber(()).content(body)
