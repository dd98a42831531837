"""Client events: fields, tables, bytes in both directions, and order."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import FrameTooLargeError
from harness.model import Chunk, ChunkKind, ErrorInfo, ErrorKind, Usage
from harness.streaming.serving.client_events import (
    CLIENT_EVENTS,
    DONE,
    FAILURES,
    INTERNAL,
    MESSAGE_TYPES,
    STREAM_INCOMPLETE,
    ClientEvent,
    ClientEventBuilder,
    ClientEventReader,
    client_event_violations,
    failure_of,
    numbered,
    text_of,
    write,
)
from harness.wire.cut_plans import cut

if TYPE_CHECKING:
    from collections.abc import Iterable

NOON = datetime(2026, 11, 20, 13, 0, 7, 654321, timezone(timedelta(hours=1)))
COUNTS = Usage(input=3, output=0, total=3)


def builder(run_id: str | None = "run-1") -> ClientEventBuilder:
    return ClientEventBuilder(run_id, lambda message_id, part: f"{message_id}/{part}", lambda: NOON)


def body_of(chunk: Chunk) -> dict[str, object]:
    body = builder().message(chunk, message_id="message-1", step_id="step-1").body
    assert isinstance(body, dict)
    return body


def all_events() -> list[ClientEvent]:
    build = builder()
    return [
        build.message(Chunk("reasoning", "Hm", 0), message_id="m", step_id="s"),
        build.ping(),
        build.message(Chunk("text", "Hi", 1), message_id="m", step_id="s"),
        build.stop_reason("llm_api_error"),
        build.usage(COUNTS),
        build.error(FAILURES["server"], "500"),
        DONE,
    ]


def read(pieces: Iterable[bytes | str]) -> list[ClientEvent]:
    reader = ClientEventReader()
    return [event for piece in pieces for event in reader.feed(piece)]


# Fields


def test_a_text_event_has_all_fields() -> None:
    assert body_of(Chunk("text", "Hi", 1)) == {
        "message_type": "assistant_message",
        "run_id": "run-1",
        "seq_id": 1,
        "id": "message-1",
        "date": "2026-11-20T12:00:07+00:00",
        "otid": "message-1/1",
        "step_id": "step-1",
        "content": "Hi",
    }


def test_a_message_has_the_time_it_was_built_at() -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    build = ClientEventBuilder(None, lambda message_id, _: message_id)
    body = build.message(Chunk("text", "Hi", 0), message_id="m", step_id="s").body
    assert isinstance(body, dict)
    assert before <= datetime.fromisoformat(body["date"]) <= datetime.now(UTC)


CALL = {"name": "get", "arguments": '{"a"', "tool_call_id": "call_1"}


@pytest.mark.parametrize(
    ("chunk", "message_type", "fields"),
    [
        (Chunk("refusal", "No", 0), "assistant_message", {"content": "No", "refusal": True}),
        (Chunk("reasoning", "Hm", 0), "reasoning_message", {"reasoning": "Hm"}),
        (
            Chunk("redacted_reasoning", data="blob", part=0),
            "hidden_reasoning_message",
            {"state": "redacted", "hidden_reasoning": "blob"},
        ),
        (
            Chunk("tool_call", None, 0, 0, "call_1", "get", '{"a"'),
            "tool_call_message",
            {"tool_call": CALL, "tool_calls": [CALL]},
        ),
        (
            Chunk("approval_request", None, 0, 0, "call_1", "get", '{"a"'),
            "approval_request_message",
            {"tool_call": CALL, "tool_calls": [CALL]},
        ),
    ],
)
def test_each_kind_of_chunk_has_its_message_type(
    chunk: Chunk, message_type: str, fields: dict[str, object]
) -> None:
    body = body_of(chunk)
    assert body["message_type"] == message_type
    assert {key: body[key] for key in fields} == fields


def test_all_events_of_one_message_part_have_the_same_otid() -> None:
    """Defects D50 and D51: an id per event, and a limit of 128."""
    build = builder()
    pieces = [
        build.message(Chunk("text", "x", part % 2), message_id="m", step_id="s").body
        for part in range(300)
    ]
    assert {piece["otid"] for piece in pieces if isinstance(piece, dict)} == {"m/0", "m/1"}


def test_events_are_numbered_from_one_and_a_ping_repeats_the_last_number() -> None:
    build = builder()
    assert build.ping().seq_id == 0
    assert [event.seq_id for event in all_events()] == [1, 1, 2, 3, 4, 5, None]


def test_usage_distinguishes_not_reported_from_zero() -> None:
    body = builder().usage(COUNTS, steps=2).body
    assert isinstance(body, dict)
    counts = [body[field] for field in ("prompt_tokens", "completion_tokens", "reasoning_tokens")]
    assert (counts, body["step_count"]) == ([3, 0, None], 2)


def test_a_stop_reason_event_has_the_finish_reason_too() -> None:
    body = builder().stop_reason("end_turn", "content_filter").body
    assert isinstance(body, dict)
    assert (body["stop_reason"], body["finish_reason"]) == ("end_turn", "content_filter")


def test_an_untracked_run_can_report_its_error() -> None:
    """Defect D76: a run without an id could not report its error."""
    event = builder(None).error(FAILURES["timeout"], "no byte for 30 s")
    assert write(event).startswith(b"event: error\n")
    assert event.body == {
        "message_type": "error_message",
        "run_id": None,
        "error_type": "llm_timeout",
        "message": "The model's provider did not answer in time.",
        "detail": "no byte for 30 s",
        "seq_id": 1,
    }


# Tables


def test_every_kind_of_error_has_a_row() -> None:
    assert set(FAILURES) == set(get_args(ErrorKind))
    assert {failure.stop_reason for failure in FAILURES.values()} == {"llm_api_error"}


@pytest.mark.parametrize(
    ("kind", "error_type"),
    [
        ("timeout", "llm_timeout"),
        ("rate_limit", "llm_rate_limit"),
        ("authentication", "llm_authentication"),
        ("context_overflow", "llm_error"),  # defect D80: was an internal error
    ],
)
def test_the_error_type_of_an_error_kind(kind: ErrorKind, error_type: str) -> None:
    assert failure_of(ErrorInfo(kind=kind)).error_type == error_type


def test_any_other_error_is_internal() -> None:
    assert failure_of(None) is INTERNAL
    assert (INTERNAL.error_type, INTERNAL.stop_reason) == ("internal_error", "error")
    assert STREAM_INCOMPLETE.stop_reason == "error"


def test_every_chunk_kind_is_a_message_or_an_event_of_its_own() -> None:
    assert set(get_args(ChunkKind)) - set(MESSAGE_TYPES) == {
        "usage",
        "stop_reason",
        "ping",
        "error",
    }


# Bytes


@pytest.mark.parametrize("plan", ["event", "byte", "awkward", "edges", "whole"])
def test_events_are_read_back_for_every_cut_plan(plan: str) -> None:
    events = all_events()
    assert read(cut([write(event) for event in events], plan)) == events


def test_text_is_read_as_bytes_are() -> None:
    """Defect D79: a terminal event in bytes was not recognised."""
    sent = b"".join(write(event) for event in all_events())
    assert read([sent]) == read([sent.decode()]) == all_events()


def test_two_events_in_one_piece_with_any_line_end() -> None:
    for end in (b"\n", b"\r\n", b"\r"):
        pieces = [write(event).replace(b"\n", end) for event in (builder().ping(), DONE)]
        assert [event.label for event in read([b"".join(pieces)])] == ["ping", "done"]


@pytest.mark.parametrize(
    "text",
    ["[DONE]", "data: [DONE]\n\n", "\n\ndata: [DONE]\n\n", "\r\n\r\nevent: error\r\ndata: {}\r\n"],
)
def test_text_that_looks_like_a_terminal_event_is_text(text: str) -> None:
    reader = ClientEventReader()
    chunk = Chunk("text", text, 0)
    reader.feed(write(builder().message(chunk, message_id="m", step_id="s")))
    assert reader.seen == {"message"}


def test_half_a_terminal_event_is_not_one() -> None:
    reader = ClientEventReader()
    assert reader.feed(b"data: [DONE]\n") == []
    assert reader.seen == set()
    assert reader.feed("\n") == [DONE]
    assert reader.seen == {"done"}
    assert reader.close() is None


def test_an_incomplete_last_event_is_not_seen() -> None:
    reader = ClientEventReader()
    reader.feed(write(DONE)[:-1])
    assert (reader.close(), reader.seen) == (DONE, set())


def test_an_event_over_the_limit_raises() -> None:
    with pytest.raises(FrameTooLargeError):
        ClientEventReader(limit=100).feed(b"data: " + b"x" * 200)


def test_half_a_surrogate_pair_is_preserved() -> None:
    """TR-022: a provider cut an escape between two deltas; the halves join at the client."""
    text = json.loads('"\\ud83d"')
    event = ClientEvent(None, {"message_type": "assistant_message", "content": f"é{text}"})
    assert read([write(event)]) == [event]


bodies = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(), max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=9,
)
client_events = st.builds(
    ClientEvent, st.sampled_from([None, "error"]), st.dictionaries(st.text(), bodies, max_size=4)
)


@given(st.lists(client_events, max_size=4), st.integers(1, 50))
def test_what_is_written_is_read_and_written_again_the_same(
    events: list[ClientEvent], n: int
) -> None:
    sent = b"".join(map(write, events))
    found = read(sent[at : at + n] for at in range(0, len(sent), n))
    assert found == events
    assert b"".join(map(write, found)) == sent


def test_numbering_fills_only_what_is_missing() -> None:
    bare = ClientEvent(None, {"message_type": "tool_return_message", "run_id": None})
    complete = numbered(bare, 7, "run-9")
    assert complete.body == {"message_type": "tool_return_message", "run_id": "run-9", "seq_id": 7}
    assert numbered(complete, 8, "run-8") is complete
    assert numbered(DONE, 8, "run-8") is DONE
    assert bare.seq_id is None


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Hi", "Hi"),
        ([{"type": "text", "text": "H"}, {"type": "image"}, {"text": "i"}, "x"], "Hi"),
        (None, ""),
    ],
)
def test_the_text_of_a_content(content: object, text: str) -> None:
    assert text_of(content) == text


@pytest.mark.parametrize(
    ("event", "label"),
    [
        (ClientEvent(None, "{broken"), "data that is not an object ('{broken')"),
        (ClientEvent(None, "[DONE] "), "data that is not an object ('[DONE] ')"),
        (ClientEvent(None, {"choices": []}), "object without a message_type"),
        (ClientEvent("error", {"error": "x"}), "error"),
        (ClientEvent(None, {"message_type": "tool_return_message"}), "message"),
    ],
)
def test_the_label_of_an_event(event: ClientEvent, label: str) -> None:
    assert event.label == label


# Order


def test_the_events_of_a_complete_run_are_legal() -> None:
    assert client_event_violations(all_events()) == []


EVENT_OF = {event.label: event for event in all_events()}


@pytest.mark.parametrize(
    "labels",
    ["stop_reason done", "message ping stop_reason ping usage ping error ping done"],
)
def test_legal_orders(labels: str) -> None:
    assert client_event_violations(EVENT_OF[label] for label in labels.split()) == []


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ("", "the stream ended while run is 'running'"),
        ("message stop_reason", "the stream ended while run is 'stopped'"),
        ("message done", "event 1 done: run is 'running'"),
        ("stop_reason stop_reason done", "event 1 stop_reason: run is 'stopped'"),  # D71
        ("stop_reason message done", "event 1 message: run is 'stopped'"),  # D70
        ("usage stop_reason done", "event 0 usage: run is 'running'"),
        ("error stop_reason done", "event 0 error: run is 'running'"),
        ("stop_reason usage usage done", "event 2 usage: run is 'counted'"),
        ("stop_reason error error done", "event 2 error: run is 'failed'"),
        ("stop_reason error usage done", "event 2 usage: run is 'failed'"),
        ("stop_reason done done", "event 2 done: run is 'ended'"),
        ("stop_reason done ping", "event 2 ping: run is 'ended'"),
    ],
)
def test_illegal_orders(labels: str, sentence: str) -> None:
    found = client_event_violations(EVENT_OF[label] for label in labels.split())
    assert found[0].sentence.startswith(sentence)


def test_data_that_is_not_a_client_event_is_a_violation() -> None:
    [found] = client_event_violations([ClientEvent(None, "x"), EVENT_OF["stop_reason"], DONE])
    assert found.sentence == "event 0 data that is not an object ('x'): this event is in no table"


def test_the_grammar_has_every_label() -> None:
    assert set(EVENT_OF) == CLIENT_EVENTS.labels
