"""The fast path: wire objects, read under the names of an SDK's attributes."""

from __future__ import annotations

import copy
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import ProtocolError, WireError
from harness.streaming.decoding import CamelObject, WireEvents, wire_events, wire_events_async
from harness.streaming.interfaces import interface_for
from harness.wire import sse
from harness.wire.cut_plans import cut

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

DATA = {"usageMetadata": {"promptTokenCount": 3}, "candidates": [{"content": {"parts": []}}]}


def body(*objects: object, end: str = "\n") -> list[bytes]:
    return [sse.write(None, json.dumps(value), end) for value in objects]


def only(protocol: str, data: object) -> Any:
    [event] = wire_events(body(data), protocol)
    return event


def test_snake_case_names_read_camel_case_keys() -> None:
    event = only("gemini_generate", DATA)
    for _ in range(2):  # the second time, the name is a property of the class
        assert event.usage_metadata.prompt_token_count == 3
        assert event.candidates[0].content.parts == []
        assert event.model_version is None


def test_keys_in_snake_case_are_read_unchanged() -> None:
    event = only("openai_responses", {"type": "x", "item_id": "m", "delta": {"text": "a"}})
    assert (event.type, event.item_id, event.delta.text, event.output_index) == (
        "x",
        "m",
        "a",
        None,
    )


@pytest.mark.parametrize("protocol", ["gemini_generate", "anthropic_messages"])
def test_the_object_is_the_json_itself(protocol: str) -> None:
    data = {"args": {"cityName": "x", "city_name": "y", "n": {"deepKey": [1.5, None]}}}
    event = only(protocol, data)
    assert event == data
    assert json.loads(json.dumps(event.args)) == data["args"]
    assert copy.deepcopy(event) == event


def test_decoded_objects_hold_only_their_keys() -> None:
    with pytest.raises(AttributeError):
        setattr(CamelObject(), "anything", 1)  # noqa: B010 - mypy rejects the plain assignment


@pytest.mark.parametrize("plan", ["whole", "event", "byte", "awkward", "offset:1"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_cuts_do_not_change_the_outcome(plan: str, end: str) -> None:
    sent = [{"text": "é\U0001f600\u2028"}, {"n": 2}]
    assert list(wire_events(cut(body(*sent, end=end), plan), "gemini_generate")) == sent


@pytest.mark.parametrize("plan", ["whole", "byte", "awkward"])
def test_a_json_array_is_read_as_the_same_events(plan: str) -> None:
    sent = [{"text": '] } \\" é'}, {"n": {"m": [1]}}]
    whole = [b" \r\n", json.dumps(sent, indent=2).encode()]
    assert list(wire_events(cut(whole, plan), "gemini_generate")) == sent


def test_the_sentinel_ends_the_events() -> None:
    frames = [*body({"a": 1}), b"data: [DONE]\n\n", *body({"a": 2})]
    assert list(wire_events(frames, "openai_chat")) == [{"a": 1}]


def test_a_last_event_without_its_blank_line_is_read() -> None:
    assert list(wire_events([b'data: {"a": 1}'], "gemini_generate")) == [{"a": 1}]
    assert list(wire_events([b'data: {"a": 1}\n\ndata: {"a"'], "gemini_generate")) == [{"a": 1}]
    assert list(wire_events([b'[{"a": 1}, {"a": '], "gemini_generate")) == [{"a": 1}]
    assert list(wire_events([], "gemini_generate")) == []


def test_data_that_is_not_json_is_an_error() -> None:
    reader = WireEvents("gemini_generate")
    with pytest.raises(ProtocolError, match="an event is not JSON"):
        reader.feed(b"data: {oops\n\n")


def test_an_event_over_the_limit_is_an_error() -> None:
    reader = WireEvents("gemini_generate", limit=16)
    with pytest.raises(WireError):
        reader.feed(b"data: {" + b" " * 32)


async def test_the_asynchronous_reader_yields_the_same() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in cut([*body(DATA), b'data: {"a": 1}'], "awkward"):
            yield piece

    assert [event async for event in wire_events_async(pieces(), "gemini_generate")] == [
        DATA,
        {"a": 1},
    ]


def test_an_interface_reads_decoded_events_like_those_of_the_sdk() -> None:
    interface = interface_for("anthropic_messages")()
    events = [
        {"type": "message_start", "message": {"id": "m", "usage": {"input_tokens": 3}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
        {"type": "message_stop"},
    ]
    assert list(interface.chunks_sync(wire_events(body(*events), "anthropic_messages")))
    outcome = interface.outcome()
    assert (outcome.text, outcome.finish, outcome.response_id) == ("Hi", "stop", "m")


def test_decoding_costs_little_more_than_json() -> None:
    """A bound that holds on a busy machine: an SDK takes fifty times as long as JSON."""
    texts = body(*[{"candidates": [{"content": {"parts": [{"text": "word"}]}}]}] * 500)
    light = min(_seconds(lambda: list(wire_events(texts, "gemini_generate"))) for _ in range(5))
    plain = min(_seconds(lambda: [json.loads(text[6:]) for text in texts]) for _ in range(5))
    assert light < 15 * plain


def _seconds(work: Any) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
