"""The binary event stream of AWS: every cut, every corrupt byte, every header type."""

from __future__ import annotations

import struct
from time import process_time
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import FrameTooLargeError, WireError
from harness.wire import cut_plans, event_stream
from harness.wire.event_stream import Message

EVENT = {":event-type": "chunk", ":message-type": "event", "é": "ü"}
words = st.text(max_size=40)
messages = st.lists(
    st.builds(
        Message,
        st.dictionaries(st.text(min_size=1, max_size=20), words, max_size=4),
        st.binary(max_size=200),
    ),
    max_size=5,
)


def read(pieces: list[bytes], limit: int = event_stream.DEFAULT_LIMIT) -> list[Message]:
    reader = event_stream.Reader(limit)
    found = [message for piece in pieces for message in reader.feed(piece)]
    reader.close()
    return found


def feed_all(reader: event_stream.Reader, pieces: list[bytes], found: list[Message]) -> None:
    for piece in pieces:
        found += reader.feed(piece)
    reader.close()


def coded(headers: bytes, payload: bytes = b"") -> bytes:
    """Return a message with arbitrary header bytes."""
    lengths = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    message = lengths + struct.pack(">I", crc32(lengths)) + headers + payload
    return message + struct.pack(">I", crc32(message))


def test_the_message_of_the_specification_without_headers_and_payload() -> None:
    # The first test vector of AWS's own clients: 16 bytes with both checksums.
    body = bytes.fromhex("000000100000000005c248eb7d98c8ff")
    assert read([body]) == [Message({}, b"")]
    assert event_stream.write({}, b"") == body


@given(sent=messages, seed=st.integers(0, 2**32))
def test_what_is_written_is_read_under_any_cut(sent: list[Message], seed: int) -> None:
    frames = [event_stream.write(dict(message.headers), message.payload) for message in sent]  # type: ignore[arg-type]
    assert read(list(cut_plans.cut(frames, f"random:{seed}"))) == sent


def test_every_type_of_header_is_read() -> None:
    values: list[tuple[int, bytes, object]] = [
        (0, b"", True),
        (1, b"", False),
        (2, b"\xff", -1),
        (3, b"\x01\x00", 256),
        (4, b"\xff\xff\xff\xff", -1),
        (5, bytes(7) + b"\x07", 7),
        (6, b"\x00\x02\xff\x00", b"\xff\x00"),
        (7, b"\x00\x02\xc3\xa9", "é"),
        (8, bytes(6) + b"\x03\xe8", 1000),
        (9, bytes(range(16)), "00010203-0405-0607-0809-0a0b0c0d0e0f"),
    ]
    headers = b"".join(bytes((1, 97 + kind, kind)) + value for kind, value, _ in values)
    [message] = read([coded(headers, b"{}")])
    assert list(message.headers.values()) == [expected for _, _, expected in values]
    assert message.payload == b"{}"
    assert (message.text("h"), message.text("a"), message.text("none")) == ("é", "", "")


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(b"\x05ab", id="a name that is cut"),
        pytest.param(b"\x01a", id="no type"),
        pytest.param(b"\x01a\x0a", id="an unknown type"),
        pytest.param(b"\x01a\x05\x00", id="a number that is cut"),
        pytest.param(b"\x01a\x07\x00\x09abc", id="a text that is cut"),
        pytest.param(b"\x01a\x07\x00", id="a length that is cut"),
        pytest.param(b"\x01a\x07\x00\x01\xff", id="a text that is not UTF-8"),
        pytest.param(b"\x01a\x09\x00", id="a UUID that is cut"),
    ],
)
def test_headers_that_cannot_be_read_are_an_error(headers: bytes) -> None:
    with pytest.raises(WireError, match="byte 0: the headers of a message cannot be read"):
        read([coded(headers)])


def test_any_flipped_bit_is_detected_and_the_messages_before_it_are_returned() -> None:
    first, second = event_stream.write(EVENT, b"first"), event_stream.write(EVENT, b"second")
    for at in range(len(second)):
        broken = bytearray(second)
        broken[at] ^= 4
        for pieces in ([first + bytes(broken)], [bytes((byte,)) for byte in first + broken]):
            reader, found = event_stream.Reader(), list[Message]()
            with pytest.raises(WireError, match=f"byte {len(first)}: the checksum of a"):
                feed_all(reader, pieces, found)
            assert [message.payload for message in found] == [b"first"]
            with pytest.raises(WireError):
                reader.feed(b"more")


@pytest.mark.parametrize("kept", [1, 11, 12, 30])
def test_a_stream_that_ends_inside_a_message_is_an_error(kept: int) -> None:
    body = event_stream.write(EVENT, b"payload")
    with pytest.raises(WireError, match=f"byte {len(body)}: ended after {kept} bytes"):
        read([body, body[:kept]])


def test_lengths_that_contradict_each_other_are_an_error() -> None:
    lengths = struct.pack(">II", 20, 5)
    with pytest.raises(WireError, match="a message of 20 bytes cannot hold 5 bytes of headers"):
        read([lengths + struct.pack(">I", crc32(lengths)) + bytes(8)])


def test_a_message_over_the_limit_is_refused_by_its_prelude() -> None:
    body = event_stream.write(EVENT, bytes(1000))
    assert len(read([body], len(body))) == 1
    with pytest.raises(FrameTooLargeError, match="holds 1,"):
        read([body[:12]], len(body) - 1)


def test_the_cost_of_a_byte_does_not_grow_with_the_stream() -> None:
    frame = event_stream.write(EVENT, bytes(2000))

    def cost(count: int) -> float:
        body = frame * count
        started = process_time()
        assert len(read([body[at : at + 64] for at in range(0, len(body), 64)])) == count
        return process_time() - started

    cost(50)
    small = min(cost(100) for _ in range(3))
    assert min(cost(1000) for _ in range(3)) < 20 * small


def test_only_a_valid_prelude_is_recognised_as_an_event_stream() -> None:
    assert event_stream.sniff(event_stream.write({}, b""))
    assert not event_stream.sniff(b"")
    assert not event_stream.sniff(bytes(12))
    assert not event_stream.sniff(b"data: {}\n\n" * 2)
