"""Secrets in AWS's binary events: in base64, in fragments, and in the plain words of Converse."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any
from zlib import crc32

import pytest

from harness.cassettes.scrubbing import Scrubber
from harness.cassettes.scrubbing.binary import scrubbed
from harness.errors import InputError, WireError
from harness.protocols.protocol import events_of
from harness.wire import event_stream

KEY = "sk-proj-" + "a1B2" * 12
HEADERS = {":event-type": "chunk", ":message-type": "event"}


def chunk(text: str) -> bytes:
    delta = {"type": "text_delta", "text": text}
    event: dict[str, Any] = {"type": "content_block_delta", "index": 0, "delta": delta}
    inner = b64encode(json.dumps(event).encode()).decode()
    return event_stream.write(HEADERS, json.dumps({"bytes": inner, "p": "abc"}).encode())


def said(body: bytes) -> list[str]:
    found: list[Any] = [event.data for event in events_of([body])]
    return [event["delta"]["text"] for event in found]


def test_a_secret_in_the_fragments_of_a_stream_is_masked_and_the_stream_stays_whole() -> None:
    body = chunk("The key is ") + chunk(KEY[:20]) + chunk(KEY[20:]) + chunk(" indeed")
    scrubber = Scrubber(())
    masked = scrubbed(body, scrubber.content)
    texts = said(masked)
    assert len(masked) == len(body)
    assert (texts[0], texts[3]) == ("The key is ", " indeed")
    assert [len(text) for text in texts] == [len(text) for text in said(body)]
    assert not [part for part in (KEY[10:20], KEY[20:40]) if part in "".join(texts)]
    assert scrubber.found.total()


def test_plain_words_are_masked_too() -> None:
    payload = json.dumps({"contentBlockIndex": 0, "delta": {"text": f"It is {KEY}."}}).encode()
    body = event_stream.write({":event-type": "contentBlockDelta"}, payload)
    [text] = said(scrubbed(body, Scrubber(()).content))
    assert KEY not in text
    assert text.startswith("It is ")


def test_what_holds_no_secret_keeps_its_bytes_whatever_its_headers() -> None:
    body = chunk("Hello") + event_stream.write({}, b"\x00\xff") + event_stream.write({}, b"[1]")
    assert scrubbed(body, Scrubber(()).content) == body


def test_what_cannot_be_made_anew_is_refused() -> None:
    headers = b"\x01a\x00"  # a header that is True
    lengths = (16 + len(headers) + len(KEY)).to_bytes(4, "big") + len(headers).to_bytes(4, "big")
    message = lengths + crc32(lengths).to_bytes(4, "big") + headers + KEY.encode()
    body = message + crc32(message).to_bytes(4, "big")
    with pytest.raises(InputError, match="headers that are no texts"):
        scrubbed(body, Scrubber(()).content)
    with pytest.raises(WireError, match="broke off"):
        scrubbed(body[:-1], Scrubber(()).content)
