"""The reader follows the WHATWG rules, under every cut of the same bytes.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import FrameTooLargeError
from harness.wire import cut_plans, sse
from harness.wire.sse import Frame

STREAM = (
    "\ufeff: hello\r\n\r\nevent: one\rdata: caf\u00e9 \U0001f600\r\rdata:a\ndata: b\n\nid: 7\n\n"
    "data: \u2028\u2029\u0085\r\n\r\nretry: 10\ndata\n\nevent: lost"
).encode()
FRAMES = [
    Frame("one", "café \U0001f600"),
    Frame(None, "a\nb"),
    Frame(None, "\u2028\u2029\u0085"),
    Frame(None, ""),
]
# Pieces of streams that exercise every rule of the standard.
fragments = st.lists(
    st.sampled_from(
        [
            *(b"\r", b"\n", b"\r\n", b"data", b":", b" ", b"event", b"id: 1", b"retry", b"x"),
            *(b"\xef\xbb\xbf", "\u00e9".encode(), "\u2028".encode(), b"\xff", b"data: y\n\n"),
        ]
    )
).map(b"".join)


def read(pieces: list[bytes], limit: int = sse.DEFAULT_LIMIT) -> list[Frame]:
    reader = sse.Reader(limit)
    return [frame for piece in pieces for frame in reader.feed(piece)]


def feed_all(reader: sse.Reader, pieces: list[bytes], frames: list[Frame]) -> None:
    for piece in pieces:
        frames += reader.feed(piece)


@pytest.mark.parametrize(
    ("body", "frames"),
    [
        pytest.param(b"data: a\n\n", [Frame(None, "a")], id="lf"),
        pytest.param(b"data: a\r\r", [Frame(None, "a")], id="cr"),
        pytest.param(b"data: a\r\n\r\n", [Frame(None, "a")], id="crlf"),
        pytest.param(b"data: a\r\n\n", [Frame(None, "a")], id="crlf then lf"),
        pytest.param(b"data: a\n\r\n", [Frame(None, "a")], id="lf then crlf"),
        pytest.param(b"data:a\n\n", [Frame(None, "a")], id="no space"),
        pytest.param(b"data:  a \n\n", [Frame(None, " a ")], id="one space only is taken"),
        pytest.param(b"data: a\ndata: b\n\n", [Frame(None, "a\nb")], id="several data lines"),
        pytest.param(b"data\n\n", [Frame(None, "")], id="a field without colon"),
        pytest.param(b"data\ndata\n\n", [Frame(None, "\n")], id="two empty data lines"),
        pytest.param(b"data: a:b: c\n\n", [Frame(None, "a:b: c")], id="colons in the value"),
        pytest.param(b"event: n\ndata: a\n\n", [Frame("n", "a")], id="named"),
        pytest.param(b"event: n\nevent: m\ndata: a\n\n", [Frame("m", "a")], id="last name wins"),
        pytest.param(b"event: n\nevent\ndata: a\n\n", [Frame(None, "a")], id="name taken back"),
        pytest.param(b"event: n\n\ndata: a\n\n", [Frame(None, "a")], id="name without data"),
        pytest.param(b"id: 1\n\nretry: 5\n\n", [], id="id and retry alone are no event"),
        pytest.param(b"id: 1\ndata: a\n\n", [Frame(None, "a")], id="id beside data"),
        pytest.param(b": c\n\n:\n:data: a\n\n", [], id="comments"),
        pytest.param(b"data: a\n: c\ndata: b\n\n", [Frame(None, "a\nb")], id="comment inside"),
        pytest.param(b"DATA: a\n data: b\n\n", [], id="field names are exact"),
        pytest.param(b"\xef\xbb\xbfdata: a\n\n", [Frame(None, "a")], id="bom"),
        pytest.param(b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n", [], id="second bom is a name"),
        pytest.param(b"\n\xef\xbb\xbfdata: a\n\n", [], id="bom is first or a name"),
        pytest.param(b"data: \xff\n\n", [Frame(None, "\ufffd")], id="invalid utf-8"),
        pytest.param(
            b"data: a\x0b\x0c\x1c\x85b\n\n", [Frame(None, "a\x0b\x0c\x1c\ufffdb")], id="vt"
        ),
        pytest.param(b"data: a\n", [], id="no blank line"),
        pytest.param(b"", [], id="nothing"),
    ],
)
def test_reads_as_the_standard_says(body: bytes, frames: list[Frame]) -> None:
    assert read([body]) == frames
    assert read([body[at : at + 1] for at in range(len(body))]) == frames


def test_unicode_line_separators_end_no_line() -> None:
    assert read([STREAM]) == FRAMES


@pytest.mark.parametrize("at", range(1, len(STREAM)))
def test_one_cut_anywhere_changes_nothing(at: int) -> None:
    assert read([STREAM[:at], b"", STREAM[at:]]) == FRAMES


@given(body=fragments, seed=st.integers(0, 2**32))
def test_any_cut_of_any_bytes_changes_nothing(body: bytes, seed: int) -> None:
    whole, cut = sse.Reader(), sse.Reader()
    pieces = list(cut_plans.cut([body], f"random:{seed}"))
    assert [f for piece in pieces for f in cut.feed(piece)] == whole.feed(body)
    assert cut.close() == whole.close()


@given(
    events=st.lists(st.tuples(st.none() | st.sampled_from(["ping", "m\u00e9"]), st.text())),
    end=st.sampled_from(["\n", "\r", "\r\n"]),
)
def test_what_was_written_is_read(events: list[tuple[str | None, str]], end: str) -> None:
    body = b"".join(sse.comment("keep-alive", end) + sse.write(*event, end=end) for event in events)
    lines = [data.replace("\r\n", "\n").replace("\r", "\n") for _, data in events]
    assert read([body]) == [
        Frame(name, data) for (name, _), data in zip(events, lines, strict=True)
    ]


@given(body=fragments)
def test_a_recorded_body_is_split_after_its_blank_lines(body: bytes) -> None:
    pieces = sse.split(body)
    assert b"".join(pieces) == body
    assert all(pieces)
    reader = sse.Reader()
    assert all(len(reader.feed(piece)) <= 1 for piece in pieces)


def test_an_event_without_its_blank_line_is_returned_by_close_only() -> None:
    reader = sse.Reader()
    assert reader.feed(b"event: e\ndata: a\ndata: b") == []
    assert reader.close() == Frame("e", "a\nb")
    assert reader.close() is None


def test_close_after_a_complete_stream_returns_none() -> None:
    reader = sse.Reader()
    reader.feed(b"data: a\n\n: c")
    assert reader.close() is None


# "data: 12345" and its line end are 12 bytes, the blank line is one more.
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_the_limit_applies_to_each_event_under_any_cut(end: bytes, size: int) -> None:
    def cut(body: bytes) -> list[bytes]:
        return [body[at : at + size] for at in range(0, len(body), size)]

    event = b"data: 12345" + end + end
    assert len(read(cut(event * 5), limit=13)) == 5
    reader = sse.Reader(limit=12)
    frames: list[Frame] = []
    with pytest.raises(FrameTooLargeError, match="the limit is 12"):
        feed_all(reader, [*cut(b"data: 1" + end + end + event), b""], frames)
    assert frames == [Frame(None, "1")]
    with pytest.raises(FrameTooLargeError):
        reader.feed(b"data: 1\n\n")
    with pytest.raises(FrameTooLargeError):
        reader.close()


def test_a_line_that_never_ends_is_refused_before_it_fills_the_memory() -> None:
    reader = sse.Reader(limit=1000)
    feed_all(reader, [b"x" * 100] * 10, [])
    with pytest.raises(FrameTooLargeError):
        reader.feed(b"x")


def test_reading_a_long_line_byte_by_byte_takes_linear_time() -> None:
    def seconds(size: int) -> float:
        reader, start = sse.Reader(), process_time()
        for _ in range(size):
            reader.feed(b"x")
        reader.feed(b"\n\n")
        return process_time() - start

    small = min(seconds(1 << 17) for _ in range(2))
    assert seconds(1 << 20) < 20 * small  # 8 times the bytes; a quadratic reader takes 64 times
