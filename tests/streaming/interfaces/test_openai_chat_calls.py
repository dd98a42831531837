"""Tool calls as compatible servers send them: catalogue OC-020, OC-027 to OC-042."""

from __future__ import annotations

from typing import Any

import pytest

from tests.streaming.interfaces.driving_openai_chat import (
    CALLED,
    END,
    arguments,
    call_of,
    drive,
)


def test_oc027_a_call_without_index_continues_with_or_without_one() -> None:
    got = drive(
        "role",
        call_of(None, id="a", name="one"),
        call_of(None, arguments="{"),
        call_of(0, arguments="}"),
        *CALLED,
    )
    assert arguments(got.outcome) == [("one", "{}", True)]


def test_oc028_without_index_the_id_finds_the_call() -> None:
    got = drive(
        "role",
        call_of(None, id="a", name="one", arguments="{"),
        call_of(None, id="b", name="two", arguments="{}"),
        call_of(None, id="a", arguments="}"),
        *CALLED,
    )
    assert arguments(got.outcome) == [("one", "{}", True), ("two", "{}", True)]


def test_calls_without_index_and_id_are_split_at_complete_objects() -> None:
    same = call_of(None, id="", name="one", arguments="{}")
    got = drive("role", same, same, *CALLED)
    assert [(call.id, call.arguments_raw) for call in got.outcome.tool_calls] == [
        ("call_0", "{}"),
        ("call_1", "{}"),
    ]


def test_oc030_id_and_name_in_every_chunk_are_set_once() -> None:
    again: Any = {"id": "a", "name": "one"}
    got = drive(
        "role",
        call_of(**again),
        call_of(**again, arguments="{"),
        call_of(**again, arguments="}"),
        *CALLED,
    )
    assert (got.call.id, got.call.name, got.call.complete) == ("a", "one", True)


def test_oc031_another_id_without_a_name_is_the_same_call() -> None:
    got = drive(
        "role", call_of(id="a", name="one", arguments="{"), call_of(id="b", arguments="}"), *CALLED
    )
    assert (got.call.id, got.call.arguments) == ("a", {})


@pytest.mark.parametrize("nothing", ["", "null", None])
def test_oc032_placeholders_are_ignored(nothing: str | None) -> None:
    got = drive(
        "role",
        call_of(id="a", name="one", arguments="{"),
        call_of(id=nothing, name=nothing, arguments="}"),
        *CALLED,
    )
    assert (got.call.id, got.call.name, got.call.complete) == ("a", "one", True)


def test_oc033_a_missing_id_is_generated_and_unique() -> None:
    got = drive(
        "role",
        call_of(0, id="call_1", name="one", arguments="{}"),
        call_of(1, name="two", arguments="{}"),
        *CALLED,
    )
    assert [call.id for call in got.outcome.tool_calls] == ["call_1", "call_2"]
    assert all(call.complete for call in got.outcome.tool_calls)
    assert [chunk.id for chunk in got.chunks("tool_call")] == ["call_1", "call_2"]


def test_oc034_the_call_waits_for_a_late_name() -> None:
    got = drive(
        "role",
        call_of(id="a", arguments="{"),
        call_of(name="o"),
        call_of(name="ne"),
        call_of(arguments="}"),
        *CALLED,
    )
    assert [(c.name, c.arguments) for c in got.chunks("tool_call")] == [("one", "{}")]


def test_a_name_is_not_changed_after_it_was_emitted() -> None:
    got = drive(
        "role",
        call_of(id="a", name="one", arguments="{"),
        call_of(name="more", arguments="}"),
        *CALLED,
    )
    assert got.call.name == "one"


def test_a_call_without_a_name_is_kept_without_chunks_and_incomplete() -> None:
    got = drive("role", call_of(id="a", arguments="{}"), *CALLED)
    assert (got.call.name, got.call.arguments_raw, got.call.complete) == (
        None,
        "{}",
        False,
    )
    assert got.chunks("tool_call") == []
    assert arguments(drive("role", call_of(id="a"), *CALLED).outcome) == [(None, "", False)]


def test_an_empty_fragment_opens_no_call() -> None:
    assert drive("role", call_of(), *END).outcome.tool_calls == ()


def test_oc036_arguments_null_or_an_object() -> None:
    got = drive(
        "role", call_of(id="a", name="one", arguments=None), call_of(arguments="{}"), *CALLED
    )
    assert got.call.complete
    function = {"name": "one", "arguments": {"a": 1}}
    got = drive(
        "role", {"delta": {"tool_calls": [{"index": 0, "id": "a", "function": function}]}}, *CALLED
    )
    assert got.call.arguments == {"a": 1}


def test_oc039_fragments_find_their_call_and_its_opening_chunk_is_first() -> None:
    got = drive(
        "role",
        call_of(0, id="a", name="one"),
        call_of(1, id="b", name="two"),
        call_of(0, arguments="{"),
        call_of(1, arguments="{"),
        call_of(0, arguments="}"),
        call_of(1, arguments="}"),
        *CALLED,
    )
    assert arguments(got.outcome) == [("one", "{}", True), ("two", "{}", True)]
    assert [(c.index, c.name, c.arguments) for c in got.chunks("tool_call")] == [
        (0, "one", "{"),
        (1, "two", "{"),
        (0, None, "}"),
        (1, None, "}"),
    ]


def test_oc020_fragments_after_the_finish_still_count() -> None:
    got = drive(
        "role",
        call_of(id="a", name="one", arguments="{"),
        {"finish": "tool_calls"},
        call_of(arguments="}"),
        *END,
    )
    assert arguments(got.outcome) == [("one", "{}", True)]
    assert (got.outcome.finish, got.outcome.finish_raw) == ("tool_calls", "tool_calls")
    assert "finish_again: stop" in got.outcome.notes


def test_a_repeated_finish_reason_is_not_noted() -> None:
    assert "finish_again" not in str(drive("role", {"finish": "stop"}, *END).outcome.notes)


def test_oc020_length_outweighs_stop() -> None:
    bare = call_of(id="a", name="one")
    got = drive("role", bare, {"finish": "tool_calls"}, {"finish": "length"}, "done")
    assert (got.outcome.finish, got.call.complete) == ("length", False)
    assert drive("role", {"finish": "length"}, *END).outcome.finish == "length"


def test_the_legacy_function_call() -> None:
    got = drive(
        "role",
        {"delta": {"function_call": {"name": "one", "arguments": ""}}},
        {"delta": {"function_call": {"arguments": "{}"}}},
        {"finish": "function_call"},
        "done",
    )
    assert (got.call.id, got.call.name, got.call.complete) == ("call_0", "one", True)
    assert got.outcome.finish == "tool_calls"


def test_text_around_a_call_is_two_parts() -> None:
    entries = ({"content": "a"}, call_of(id="a", name="one", arguments="{}"), {"content": "b"})
    content = drive("role", *entries, *CALLED).outcome.content
    assert [part.kind for part in content] == ["text", "tool_call", "text"]
