"""Tool calls as compatible servers send them: catalogue OC-020, OC-027 to OC-042."""

from __future__ import annotations

from typing import Any

import pytest

from tests.streaming.interfaces.driving_openai_chat import (
    CALLED,
    END,
    arguments,
    call_of,
    tell,
)


def test_oc027_a_call_without_index_continues_with_or_without_one() -> None:
    told = tell(
        "role",
        call_of(None, id="a", name="one"),
        call_of(None, arguments="{"),
        call_of(0, arguments="}"),
        *CALLED,
    )
    assert arguments(told.outcome) == [("one", "{}", True)]


def test_oc028_without_index_the_id_finds_the_call() -> None:
    told = tell(
        "role",
        call_of(None, id="a", name="one", arguments="{"),
        call_of(None, id="b", name="two", arguments="{}"),
        call_of(None, id="a", arguments="}"),
        *CALLED,
    )
    assert arguments(told.outcome) == [("one", "{}", True), ("two", "{}", True)]


def test_calls_without_index_and_id_are_split_at_complete_objects() -> None:
    same = call_of(None, id="", name="one", arguments="{}")
    told = tell("role", same, same, *CALLED)
    assert [(call.id, call.arguments_raw) for call in told.outcome.tool_calls] == [
        ("call_0", "{}"),
        ("call_1", "{}"),
    ]


def test_oc030_id_and_name_in_every_chunk_are_set_once() -> None:
    again: Any = {"id": "a", "name": "one"}
    told = tell(
        "role",
        call_of(**again),
        call_of(**again, arguments="{"),
        call_of(**again, arguments="}"),
        *CALLED,
    )
    assert (told.call.id, told.call.name, told.call.complete) == ("a", "one", True)


def test_oc031_another_id_without_a_name_is_the_same_call() -> None:
    told = tell(
        "role", call_of(id="a", name="one", arguments="{"), call_of(id="b", arguments="}"), *CALLED
    )
    assert (told.call.id, told.call.arguments) == ("a", {})


@pytest.mark.parametrize("nothing", ["", "null", None])
def test_oc032_placeholders_are_ignored(nothing: str | None) -> None:
    told = tell(
        "role",
        call_of(id="a", name="one", arguments="{"),
        call_of(id=nothing, name=nothing, arguments="}"),
        *CALLED,
    )
    assert (told.call.id, told.call.name, told.call.complete) == ("a", "one", True)


def test_oc033_a_missing_id_is_generated_and_unique() -> None:
    told = tell(
        "role",
        call_of(0, id="call_1", name="one", arguments="{}"),
        call_of(1, name="two", arguments="{}"),
        *CALLED,
    )
    assert [call.id for call in told.outcome.tool_calls] == ["call_1", "call_2"]
    assert all(call.complete for call in told.outcome.tool_calls)
    assert [chunk.id for chunk in told.chunks("tool_call")] == ["call_1", "call_2"]


def test_oc034_the_call_waits_for_a_late_name() -> None:
    told = tell(
        "role",
        call_of(id="a", arguments="{"),
        call_of(name="o"),
        call_of(name="ne"),
        call_of(arguments="}"),
        *CALLED,
    )
    assert [(c.name, c.arguments) for c in told.chunks("tool_call")] == [("one", "{}")]


def test_a_name_is_not_changed_after_it_was_emitted() -> None:
    told = tell(
        "role",
        call_of(id="a", name="one", arguments="{"),
        call_of(name="more", arguments="}"),
        *CALLED,
    )
    assert told.call.name == "one"


def test_a_call_without_a_name_is_kept_without_chunks_and_incomplete() -> None:
    told = tell("role", call_of(id="a", arguments="{}"), *CALLED)
    assert (told.call.name, told.call.arguments_raw, told.call.complete) == (None, "{}", False)
    assert told.chunks("tool_call") == []
    assert arguments(tell("role", call_of(id="a"), *CALLED).outcome) == [(None, "", False)]


def test_an_empty_fragment_opens_no_call() -> None:
    assert tell("role", call_of(), *END).outcome.tool_calls == ()


def test_oc036_arguments_null_or_an_object() -> None:
    told = tell(
        "role", call_of(id="a", name="one", arguments=None), call_of(arguments="{}"), *CALLED
    )
    assert told.call.complete
    function = {"name": "one", "arguments": {"a": 1}}
    told = tell(
        "role", {"delta": {"tool_calls": [{"index": 0, "id": "a", "function": function}]}}, *CALLED
    )
    assert told.call.arguments == {"a": 1}


def test_oc039_fragments_find_their_call_and_its_opening_chunk_is_first() -> None:
    told = tell(
        "role",
        call_of(0, id="a", name="one"),
        call_of(1, id="b", name="two"),
        call_of(0, arguments="{"),
        call_of(1, arguments="{"),
        call_of(0, arguments="}"),
        call_of(1, arguments="}"),
        *CALLED,
    )
    assert arguments(told.outcome) == [("one", "{}", True), ("two", "{}", True)]
    assert [(c.index, c.name, c.arguments) for c in told.chunks("tool_call")] == [
        (0, "one", "{"),
        (1, "two", "{"),
        (0, None, "}"),
        (1, None, "}"),
    ]


def test_oc020_fragments_after_the_finish_still_count() -> None:
    told = tell(
        "role",
        call_of(id="a", name="one", arguments="{"),
        {"finish": "tool_calls"},
        call_of(arguments="}"),
        *END,
    )
    assert arguments(told.outcome) == [("one", "{}", True)]
    assert (told.outcome.finish, told.outcome.finish_raw) == ("tool_calls", "tool_calls")
    assert "finish_again: stop" in told.outcome.notes


def test_a_repeated_finish_reason_is_not_noted() -> None:
    assert "finish_again" not in str(tell("role", {"finish": "stop"}, *END).outcome.notes)


def test_oc020_length_outweighs_stop() -> None:
    bare = call_of(id="a", name="one")
    told = tell("role", bare, {"finish": "tool_calls"}, {"finish": "length"}, "done")
    assert (told.outcome.finish, told.call.complete) == ("length", False)
    assert tell("role", {"finish": "length"}, *END).outcome.finish == "length"


def test_the_legacy_function_call() -> None:
    told = tell(
        "role",
        {"delta": {"function_call": {"name": "one", "arguments": ""}}},
        {"delta": {"function_call": {"arguments": "{}"}}},
        {"finish": "function_call"},
        "done",
    )
    assert (told.call.id, told.call.name, told.call.complete) == ("call_0", "one", True)
    assert told.outcome.finish == "tool_calls"


def test_text_around_a_call_is_two_parts() -> None:
    said = ({"content": "a"}, call_of(id="a", name="one", arguments="{}"), {"content": "b"})
    content = tell("role", *said, *CALLED).outcome.content
    assert [part.kind for part in content] == ["text", "tool_call", "text"]
