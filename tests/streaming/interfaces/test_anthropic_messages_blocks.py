"""Blocks of the Messages interface: incomplete calls, unusual orders, hosted tools."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import ProtocolError
from harness.streaming.interfaces.anthropic_messages.interface import AnthropicMessagesInterface
from tests.streaming.fake_stream import decoded
from tests.streaming.interfaces.driving_anthropic_messages import (
    begin,
    block,
    call,
    drive,
    end,
    stop,
    text,
)

if TYPE_CHECKING:
    from harness.wire.script import ResponseEnd

START = "message_start"


# Incomplete calls


def test_tr013_a_call_with_only_a_name_at_the_limit_is_incomplete() -> None:
    for reason in ("max_tokens", "model_context_window_exceeded", "bored"):
        got = drive(START, *call(0, "a", "wipe"), *end(reason))
        assert (got.call.complete, got.call.arguments) == (False, None)


@pytest.mark.parametrize("ending", ["clean", "reset"])
def test_tr013_a_call_without_arguments_before_a_cut_is_incomplete(ending: ResponseEnd) -> None:
    assert not drive(START, *call(0, "a", "wipe"), ending=ending).call.complete


def test_an020_a_call_without_arguments_is_complete_once_an_event_follows() -> None:
    for fragments in ((), ("",), (" ",)):
        got = drive(START, *call(0, "a", "now", *fragments), *end("tool_use"))
        assert (got.call.complete, got.call.arguments) == (True, {})
    followed = drive(START, *call(0, "a", "now"), *text(1, "Hi"), *end("max_tokens"))
    assert followed.call.complete


@pytest.mark.parametrize("late", [False, True])
def test_an029_a_refusal_reopens_its_calls(late: bool) -> None:  # noqa: FBT001 - pytest's own way
    called = call(0, "a", "one", "{}")
    order = [*called[:-1], end("refusal")[0], called[-1]] if late else [*called, *end("refusal")]
    got = drive(START, *order)
    assert (got.outcome.finish, got.call.complete) == ("refusal", False)
    assert got.call.arguments_raw == "{}"


def test_an029_the_category_of_a_refusal_is_noted() -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": None}
    delta = {"delta": {"stop_reason": "refusal", "stop_details": details}}
    assert "refusal: cyber" in drive(START, {"message_delta": delta}, "message_stop").outcome.notes


def test_a_call_without_id_or_name_is_never_complete() -> None:
    for lost in ("id", "name"):
        start = {"type": "tool_use", "id": "a", "name": "one", lost: 7}
        grown = {"input_json_delta": {"partial_json": "{}"}}
        got = drive(START, *block(0, start, grown), *end("tool_use"))
        assert not got.call.complete
        assert got.chunks("tool_call") == []


@pytest.mark.parametrize("sent", ['{"x": 1}', {"x": 1}])
def test_an022_an_input_in_the_start_is_the_input(sent: Any) -> None:
    got = drive(
        START,
        *block(0, {"type": "tool_use", "id": "a", "name": "one", "input": sent}),
        *end("tool_use"),
    )
    assert got.call.arguments == {"x": 1}


# Orders the provider does not send


def test_an025_a_delta_without_a_start_opens_its_block() -> None:
    got = drive(
        START,
        {"text_delta": {"at": [4], "text": "Hi"}},
        {"thinking_delta": {"at": [5], "thinking": "Hm"}},
        {"input_json_delta": {"at": [6], "partial_json": "{}"}},
        {"compaction_delta": {"at": [7], "content": "so far"}},
        *map(stop, range(4, 8)),
        *end(),
    )
    assert [p.kind for p in got.outcome.content] == [
        "text",
        "reasoning",
        "tool_call",
        "server_tool",
    ]
    assert getattr(got.outcome.content[3], "data", None) == {"content": "so far"}
    assert not got.call.complete
    assert "missing_start: block 4" in got.outcome.notes


def test_an025_a_late_start_names_the_call_its_delta_opened() -> None:
    got = drive(
        START,
        {"input_json_delta": {"at": [0], "partial_json": '{"x":'}},
        begin(0, type="tool_use", id="a", name="one"),
        {"input_json_delta": {"at": [0], "partial_json": " 1}"}},
        stop(0),
        *end("tool_use"),
    )
    assert (got.call.id, got.call.arguments) == ("a", {"x": 1})
    assert [c.arguments for c in got.chunks("tool_call")] == ['{"x":', " 1}"]


def test_tr021_a_repeated_event_opens_nothing_twice() -> None:
    called = begin(1, type="tool_use", id="a", name="one")
    sent = begin(0, type="text"), {"text_delta": {"at": [0], "text": "Hi"}}
    got = drive(START, START, sent[0], *sent, stop(0), stop(0), called, called, stop(1), *end())
    assert [part.kind for part in got.outcome.content] == ["text", "tool_call"]
    assert {"start_again: block 0", "start_again: block 1", "stray_stop: block 0"} <= {
        *got.outcome.notes
    }


def test_another_call_at_an_open_index_is_another_call() -> None:
    first, second = call(0, "a", "one", '{"x"'), call(0, "b", "two", "{}")
    calls = drive(START, *first[:-1], *second, *end("tool_use")).outcome.tool_calls
    assert [(c.id, c.complete) for c in calls] == [("a", False), ("b", True)]


def test_a_second_message_starts_its_own_blocks() -> None:
    first, second = text(0, "Hel")[:-1], text(0, "Hello")
    got = drive(START, *first, {"message_start": {"message": {"id": "msg_2"}}}, *second, *end())
    assert [getattr(part, "text", "") for part in got.outcome.content] == ["Hel", "Hello"]
    assert got.outcome.response_id == "msg_2"
    assert "message_start_again" in got.outcome.notes


def test_a_call_with_a_delta_after_its_stop_is_incomplete() -> None:
    called, sent = call(0, "a", "one", "{}"), text(1, "Hel")
    got = drive(
        START,
        *called,
        called[1],
        stop(0),
        *sent,
        {"text_delta": {"at": [1], "text": "lo"}},
        *end("tool_use"),
    )
    assert (got.call.complete, got.call.arguments_raw) == (False, "{}{}")
    assert got.outcome.text == "Hello"
    assert "delta_after_stop: block 0" in got.outcome.notes


def test_events_after_message_stop_are_ignored() -> None:
    """A refusal after a call: the call is incomplete."""
    late = (*call(1, "a", "wipe", "{}"), *end("tool_use"))
    got = drive(START, *text(0, "Hi"), *end(), "ping", *late)
    assert (got.outcome.text, got.outcome.tool_calls) == ("Hi", ())
    assert (got.outcome.finish, got.outcome.ending) == ("stop", "complete")
    assert [note for note in got.outcome.notes if note.startswith("after")] == [
        f"after_message_stop: {event}"
        for event in (
            *(f"content_block_{moment}" for moment in ("start", "delta", "stop")),
            "message_delta",
            "message_stop",
        )
    ]


def test_an_error_after_the_message_stop_is_an_error() -> None:
    interface = AnthropicMessagesInterface()
    for event in decoded(START, *text(0, "Hi"), *end(), "error"):
        interface.handle(event)
    assert interface.outcome().ending == "failed"


def test_an016_a_message_stop_cannot_close_a_block() -> None:
    got = drive(START, *call(0, "a", "one", "{}")[:-1], "message_stop")
    assert (got.outcome.finish, got.call.complete) == ("unknown", False)
    assert "malformed: message_stop while block 0 is open" in got.outcome.notes
    assert "malformed: message_stop without a stop_reason" in got.outcome.notes


@pytest.mark.parametrize(
    ("start", "delta"),
    [
        ({"type": "text"}, {"thinking_delta": {"thinking": "Hm"}}),
        ({"type": "text"}, {"signature_delta": {"signature": "s"}}),
        ({"type": "thinking"}, {"citations_delta": {"citation": {}}}),
        ({"type": "thinking"}, {"text_delta": {"text": "Hi"}}),
        ({"type": "text"}, {"input_json_delta": {"partial_json": "{}"}}),
        ({"type": "tool_use"}, {"text_delta": {"text": "Hi"}}),
        ({"type": "redacted_thinking"}, {"text_delta": {"text": "Hi"}}),
        ({"type": "server_tool_use"}, {"compaction_delta": {"content": "so far"}}),
    ],
)
def test_a_delta_of_another_kind_is_a_protocol_error(
    start: dict[str, Any], delta: dict[str, Any]
) -> None:
    got = drive(START, *block(0, start, delta), *end())
    assert isinstance(got.raised, ProtocolError)
    assert (got.outcome.ending, got.outcome.finish) == ("failed", "error")


# The provider's own tools and unknown blocks


def test_a_search_and_its_result_are_server_tools() -> None:
    searched = {"type": "server_tool_use", "id": "s", "name": "web_search"}
    found = {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"url": "u"}]}
    cut = {"input_json_delta": {"partial_json": '{"query"'}}
    got = drive(START, *block(0, searched, cut), *block(1, found), *end())
    use, result = got.outcome.content
    assert use.model_dump() == {
        "kind": "server_tool", "name": "web_search", "id": "s", "data": '{"query"',
    }  # fmt: skip
    assert result.model_dump() == {
        "kind": "server_tool", "name": "web_search_tool_result", "id": "s", "data": found,
    }  # fmt: skip
    assert got.outcome.tool_calls == ()


def test_a_compaction_is_kept_unchanged() -> None:
    start = {"type": "compaction", "content": None, "signature": "s"}
    grown = {"compaction_delta": {"content": "so far", "encrypted_content": "blob"}}
    got = drive(START, *block(0, start, grown), *end("compaction"))
    assert getattr(got.outcome.content[0], "data", None) == {
        "type": "compaction",
        "content": "so far",
        "encrypted_content": "blob",
        "signature": "s",
    }


def test_an009_unknown_values_are_noted_and_content_is_kept() -> None:
    got = drive(
        START,
        {"event": {"name": "weather", "data": {"type": "weather"}}},
        *block(0, {"type": "poem", "metre": "iamb"}, {"text_delta": {"text": "O "}},
               {"text_delta": {"text": "rose"}}, {"citations_delta": {"citation": {}}}),
        begin(1, type="text"),
        {"content_block_delta": {"at": [1], "delta": {"type": "smell_delta"}}},
        {"text_delta": {"at": [1], "text": "Hi"}},
        stop(1),
        *end(),
    )  # fmt: skip
    assert got.outcome.text == "Hi"
    assert getattr(got.outcome.content[0], "data", None) == {
        "type": "poem", "metre": "iamb", "text": "O rose",
    }  # fmt: skip
    assert {"unknown_event: weather", "unknown_block: poem", "unknown_delta: smell_delta"} <= {
        *got.outcome.notes
    }


def test_citations_stay_with_their_text() -> None:
    cited = {"type": "web_search_result_location", "url": "u", "cited_text": "c"}
    got = drive(
        START,
        *block(0, {"type": "text"}, {"citations_delta": {"citation": cited}},
               {"text_delta": {"text": "Hi"}}),
        *text(1, "Ho"),
        *end(),
    )  # fmt: skip
    [first, second] = got.outcome.content
    [found] = first.citations  # type: ignore[union-attr,misc]  # it is a cited text
    assert found == cited
    assert second.citations is None  # type: ignore[union-attr]  # it is a text


def test_content_in_message_start_is_read() -> None:
    content = [
        {"type": "text", "text": "Hi"},
        {"type": "tool_use", "id": "a", "name": "one", "input": {"x": 1}},
        {"type": "tool_use", "id": "b", "name": "two", "input": {}},
    ]
    whole = {"content": content, "stop_reason": "tool_use"}
    got = drive({"message_start": {"message": whole}}, "message_stop")
    assert (got.outcome.text, got.outcome.finish) == ("Hi", "tool_calls")
    assert [c.arguments for c in got.outcome.tool_calls] == [{"x": 1}, {}]
    assert [c.text for c in got.chunks("text")] == ["Hi"]
    assert got.outcome.notes == ()


# Unusual objects: the SDK builds them without validation


ODD: tuple[dict[str, Any], ...] = (
    {"name": "message_start", "data": {"type": "message_start"}},
    {"name": "message_start", "data": {"type": "message_start", "message": None}},
    {"name": "message_start", "data": {"type": "message_start", "message": {
        "id": 7, "model": [], "content": "Hi", "stop_reason": 3, "usage": [1]}}},
    {"name": "content_block_start", "data": {"type": "content_block_start", "index": 0}},
    {"name": "content_block_start", "data": {"type": "content_block_start", "content_block": None}},
    {"name": "content_block_delta", "data": {"type": "content_block_delta", "index": 0}},
    {"name": "content_block_delta", "data": {"type": "content_block_delta", "index": 0,
                                             "delta": {"type": "text_delta", "text": 7}}},
    {"name": "content_block_delta", "data": {"type": "content_block_delta", "index": 0,
                                             "delta": {"type": "text_delta"}}},
    {"name": "content_block_delta", "data": {"type": "content_block_delta", "index": 0,
                                             "delta": {"type": "text_delta", "text": None}}},
    {"name": "content_block_stop", "data": {"type": "content_block_stop"}},
    {"name": "message_delta", "data": {"type": "message_delta"}},
    {"name": "message_delta", "data": {"type": "message_delta", "delta": None, "usage": None}},
    {"name": "message_delta", "data": {"type": "message_delta", "usage": "much"}},
    {"name": "weather", "data": {"type": "weather"}},
    {"name": "weather", "data": {}},
    {"name": "weather", "data": "null"},
    {"name": "weather", "data": "[1]"},
)  # fmt: skip


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: json.dumps(odd["data"])[:60])
def test_an_unusual_event_does_not_end_the_stream(odd: dict[str, Any]) -> None:
    got = drive(START, *text(0, "Hel")[:-1], {"event": odd}, *text(1, "lo"), *end())
    assert got.raised is None
    assert (got.outcome.text, got.outcome.finish) == ("Hello", "stop")


def test_objects_from_the_wire_need_no_sdk() -> None:
    """Events decoded from the wire include pings and errors."""

    class Read(dict[str, Any]):
        __getattr__ = dict.get

    interface = AnthropicMessagesInterface()
    start = Read(type="content_block_start", index=0, content_block=Read(type="text", text=""))
    delta = Read(type="content_block_delta", index=0, delta=Read(type="text_delta", text="Hi"))
    assert [*interface.handle(Read(type="ping")), *interface.handle(start)] == []
    assert [chunk.text for chunk in interface.handle(delta)] == ["Hi"]
    interface.handle(Read(type="error", error={"type": "overloaded_error", "message": "busy"}))
    outcome = interface.outcome()
    assert outcome.ending == "failed"
    assert outcome.error is not None
    assert (outcome.error.kind, outcome.error.retryable) == ("overloaded", True)
