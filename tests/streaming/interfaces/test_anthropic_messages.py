"""The Messages interface through the real SDK: defects, errors, invariants."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anthropic
import pytest

from harness.errors import StreamError
from harness.model import Chunk, Usage
from harness.streaming.interfaces.anthropic_messages.interface import AnthropicMessagesInterface
from tests.streaming.interfaces.driving_anthropic_messages import (
    begin,
    block,
    call,
    drive,
    drive_async,
    end,
    script,
    sdk_events,
    stop,
    text,
    thinking,
)

if TYPE_CHECKING:
    from harness.model import Ending, FinishReason

START = "message_start"


# The defects of the first implementation


def test_d1_two_calls_keep_their_own_arguments() -> None:
    first, second = call(0, "a", "one", '{"x"', ": 1}"), call(1, "b", "two", '{"y": 2}')
    calls = drive(START, *first, *second, *end("tool_use")).outcome.tool_calls
    assert [(c.id, c.name, c.arguments) for c in calls] == [
        ("a", "one", {"x": 1}),
        ("b", "two", {"y": 2}),
    ]


@pytest.mark.parametrize(
    "arguments",
    [{"id": 7}, {"id": "toolu_9", "function": {"name": "x", "arguments": "{}"}}],
    ids=["d2", "d3"],
)
def test_d2_d3_arguments_that_look_like_a_call_survive(arguments: dict[str, Any]) -> None:
    got = drive(START, *call(0, "a", "one", json.dumps(arguments)), *end("tool_use"))
    assert (got.call.arguments, got.call.complete) == (arguments, True)


def test_d4_an_abort_of_the_consumer_is_recorded() -> None:
    interface = AnthropicMessagesInterface()
    events = iter(sdk_events(START, *text(0, "a", "b"), *end()))
    chunks = interface.chunks_sync(events)
    assert next(chunks).text == "a"
    chunks.close()
    outcome = interface.outcome()
    assert interface.diagnostics.cancelled
    assert (outcome.finish, outcome.ending, outcome.text) == ("cancelled", "cancelled", "a")


@pytest.mark.parametrize(
    ("word", "finish", "ending"),
    [
        ("end_turn", "stop", "complete"),
        ("stop_sequence", "stop", "complete"),
        ("max_tokens", "length", "incomplete"),
        ("model_context_window_exceeded", "length", "incomplete"),
        ("refusal", "refusal", "complete"),
        ("pause_turn", "pause", "incomplete"),
        ("compaction", "pause", "incomplete"),
        ("guardrail_intervened", "content_filter", "incomplete"),
        ("malformed_tool_use", "error", "failed"),
        ("bored", "unknown", "complete"),
    ],
)
def test_d5_the_stop_reason_is_read(word: str, finish: FinishReason, ending: Ending) -> None:
    got = drive(START, *text(0, "Hi"), *end(word))
    outcome = got.outcome
    assert (outcome.finish, outcome.finish_raw, outcome.ending) == (finish, word, ending)
    assert ("unknown_finish: bored" in outcome.notes) == (word == "bored")
    assert isinstance(got.raised, StreamError) == (ending == "failed")


def test_d6_a_cut_call_is_never_repaired() -> None:
    got = drive(START, *call(0, "a", "open", '{"path": "/etc/pas'), *end("max_tokens"))
    assert (got.call.complete, got.call.arguments) == (False, None)
    assert got.call.arguments_raw == '{"path": "/etc/pas'


def test_d7_two_signed_reasoning_parts_stay_two() -> None:
    first, second = thinking(0, "one", signed="s1"), thinking(1, "two", signed="s2")
    content = drive(START, *first, *second, *text(2, "Hi"), *end()).outcome.content
    assert [(p.kind, getattr(p, "text", ""), getattr(p, "signature", None)) for p in content] == [
        ("reasoning", "one", "s1"),
        ("reasoning", "two", "s2"),
        ("text", "Hi", None),
    ]


def test_d8_a_chunk_once_emitted_is_never_changed() -> None:
    interface = AnthropicMessagesInterface()
    pairs: list[tuple[Chunk, dict[str, Any]]] = []
    for event in sdk_events(*STORY):
        pairs += [(chunk, chunk.dump()) for chunk in interface.handle(event)]
    assert all(chunk.dump() == at_first for chunk, at_first in pairs)


def test_d9_a_signature_without_text_is_kept() -> None:
    [part] = drive(START, *thinking(0, signed="sig"), *end()).outcome.content
    assert part.model_dump() == {"kind": "reasoning", "text": "", "signature": "sig"}


def test_an027_an_empty_signature_is_none() -> None:
    grown = {"thinking_delta": {"thinking": "Hm"}}, {"signature_delta": {"signature": ""}}
    [part] = drive(START, *block(0, {"type": "thinking"}, *grown), *end()).outcome.content
    assert part.model_dump() == {"kind": "reasoning", "text": "Hm", "signature": None}


def test_an026_a_signature_may_arrive_in_pieces() -> None:
    grown = ({"signature_delta": {"signature": piece}} for piece in ("a", "b"))
    [part] = drive(START, *block(0, {"type": "thinking"}, *grown), *end()).outcome.content
    assert part.model_dump() == {"kind": "reasoning", "text": "", "signature": "ab"}


def test_d10_blank_reasoning_is_reasoning() -> None:
    got = drive(START, *thinking(0, "line one", "\n", "line two"), *end())
    assert got.outcome.reasoning == "line one\nline two"
    assert [chunk.text for chunk in got.chunks("reasoning")] == ["line one", "\n", "line two"]


def test_d11_two_redacted_reasoning_blocks_stay_two() -> None:
    hidden = [
        entry
        for index in range(2)
        for entry in block(index, {"type": "redacted_thinking", "data": f"blob{index}"})
    ]
    got = drive(START, *hidden, *end())
    assert [getattr(part, "data", None) for part in got.outcome.content] == ["blob0", "blob1"]
    assert [(c.part, c.data) for c in got.chunks("redacted_reasoning")] == [
        (0, "blob0"),
        (1, "blob1"),
    ]


def test_d12_blocks_may_overlap() -> None:
    got = drive(
        START,
        begin(0, type="text"),
        begin(1, type="tool_use", id="a", name="one"),
        begin(2, type="server_tool_use", id="s", name="web_search"),
        {"text_delta": {"at": [0], "text": "Hi"}},
        {"input_json_delta": {"at": [2], "partial_json": '{"query":'}},
        {"input_json_delta": {"at": [1], "partial_json": '{"x":'}},
        {"input_json_delta": {"at": [2], "partial_json": ' "cats"}'}},
        {"input_json_delta": {"at": [1], "partial_json": " 1}"}},
        *map(stop, range(3)),
        *end("tool_use"),
    )
    assert got.call.arguments == {"x": 1}
    assert [part.kind for part in got.outcome.content] == ["text", "tool_call", "server_tool"]
    assert getattr(got.outcome.content[2], "data", None) == {"query": "cats"}


def test_d13_content_in_a_block_start_counts() -> None:
    got = drive(
        START,
        *block(0, {"type": "thinking", "thinking": "H", "signature": "s"},
               {"thinking_delta": {"thinking": "m"}}, {"signature_delta": {"signature": "ig"}}),
        *block(1, {"type": "text", "text": "Hel", "citations": [{"url": "u"}]},
               {"text_delta": {"text": "lo"}}),
        *block(2, {"type": "tool_use", "id": "a", "name": "one", "input": {"x": 1}}),
        *end("tool_use"),
    )  # fmt: skip
    assert (got.outcome.reasoning, got.outcome.text) == ("Hm", "Hello")
    assert got.outcome.content[0].signature == "sig"  # type: ignore[union-attr]  # it is the reasoning
    assert got.outcome.content[1].citations == ({"url": "u"},)  # type: ignore[union-attr]  # the text
    assert (got.call.arguments, got.call.complete) == ({"x": 1}, True)
    assert [c.arguments for c in got.chunks("tool_call")] == [None, '{"x": 1}']


def test_d14_a_cut_call_is_kept_and_incomplete() -> None:
    got = drive(START, *call(0, "a", "one", '{"x": 1}')[:-1])
    assert (got.outcome.ending, got.call.complete) == ("truncated", False)
    assert got.outcome.error is not None
    assert got.outcome.error.kind == "truncated"


def test_d15_counts_in_the_delta_win_and_zero_is_reported() -> None:
    usage = {"input_tokens": 20, "cache_read_input_tokens": 0, "output_tokens": 7}
    got = drive(START, *text(0, "Hi"), *end(usage=usage))
    assert got.outcome.usage == Usage(input=20, cached=0, output=7, total=27)


def test_d16_raw_usage_is_current_without_a_message_stop() -> None:
    counts = {"input_tokens": 10, "output_tokens": 1, "service_tier": "standard"}
    last = {"output_tokens": 9, "cache_read_input_tokens": None}
    got = drive(
        {"message_start": {"message": {"usage": counts}}}, *text(0, "Hi"), *end(usage=last)[:1]
    )
    assert got.interface.raw_usage == {**counts, "output_tokens": 9}


@pytest.mark.parametrize("raw", ["[1]", "7", '{"a": 1', "{}{}"])
def test_d17_arguments_are_one_object_or_the_call_is_incomplete(raw: str) -> None:
    got = drive(START, *call(0, "a", "one", raw), *end("tool_use"))
    assert (got.call.arguments_raw, got.call.complete, got.call.arguments) == (
        raw,
        False,
        None,
    )


def test_d18_an_empty_message_is_noted() -> None:
    outcome = drive(START, *end()).outcome
    assert (outcome.content, outcome.finish) == ((), "stop")
    assert "empty_output" in outcome.notes


def test_d50_parallel_calls_have_an_index_and_a_part_each() -> None:
    got = drive(
        START,
        begin(0, type="tool_use", id="a", name="one"),
        begin(1, type="tool_use", id="b", name="two"),
        *({"input_json_delta": {"at": [n % 2], "partial_json": " "}} for n in range(6)),
        {"input_json_delta": {"at": [0], "partial_json": "{}"}},
        {"input_json_delta": {"at": [1], "partial_json": "{}"}},
        *map(stop, range(2)),
        *end("tool_use"),
        requires_approval=["two"],
    )
    seen = {(c.kind, c.id, c.index, c.part) for c in got.chunks("tool_call", "approval_request")}
    assert seen == {("tool_call", "a", 0, 0), ("approval_request", "b", 1, 1)}


def test_d51_there_is_no_limit_to_alternations() -> None:
    blocks = [
        entry
        for index in range(300)
        for entry in (text(index, "t") if index % 2 else thinking(index, "r"))
    ]
    outcome = drive(START, *blocks, *end()).outcome
    assert (outcome.text, outcome.reasoning) == ("t" * 150, "r" * 150)
    assert max(chunk.part or 0 for chunk in outcome.chunks) == 299


def test_d61_nothing_is_shared_between_interfaces() -> None:
    drive(START, *call(0, "a", "one", "{}"), *end("tool_use"))
    assert AnthropicMessagesInterface().outcome().content == ()


# Approval


@pytest.mark.parametrize(
    ("needing", "kind"), [("delete_all", "approval_request"), ("delete", "tool_call")]
)
def test_approval_is_decided_by_the_complete_name(needing: str, kind: str) -> None:
    got = drive(
        START, *call(0, "a", "delete_all", "{}"), *end("tool_use"), requires_approval=[needing]
    )
    assert {c.kind for c in got.chunks("tool_call", "approval_request")} == {kind}
    assert got.call.approval == (True if kind == "approval_request" else None)


# Usage


def test_an007_the_input_is_the_whole_prompt() -> None:
    counts = {
        "input_tokens": 5, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 20,
        "output_tokens": 1,
    }  # fmt: skip
    last = {"output_tokens": 9, "output_tokens_details": {"thinking_tokens": 4}}
    got = drive({"message_start": {"message": {"usage": counts}}}, *end(usage=last))
    assert got.outcome.usage == Usage(
        input=125, cached=100, cache_write=20, output=9, reasoning=4, total=134
    )


def test_an005_later_fields_win() -> None:
    counts = {"input_tokens": 8834, "output_tokens": 0}
    last = {"input_tokens": 18, "cache_read_input_tokens": 8831, "output_tokens": 9}
    got = drive({"message_start": {"message": {"usage": counts}}}, *end(usage=last))
    assert got.outcome.usage == Usage(input=8849, cached=8831, output=9, total=8858)


def test_without_an_input_there_is_no_total() -> None:
    counts = {"cache_read_input_tokens": 3}
    got = drive({"message_start": {"message": {"usage": counts}}}, *end())
    assert got.outcome.usage == Usage(cached=3, output=5)


def test_an006_no_usage_anywhere_is_not_reported() -> None:
    got = drive({"message_start": {"message": {"usage": None}}}, *end(usage=None))
    assert got.outcome.usage is None
    assert "usage_missing" in got.outcome.notes


# Errors and ends


def test_an010_an_error_in_the_stream_keeps_the_text() -> None:
    got = drive(START, *text(0, "Hel")[:-1], "error")
    assert isinstance(got.raised, anthropic.APIStatusError)
    assert got.raised.status_code == 200
    assert got.outcome.error is not None
    assert (got.outcome.error.kind, got.outcome.error.retryable) == ("overloaded", True)
    assert (got.outcome.text, got.outcome.ending) == ("Hel", "failed")


def test_an014_the_stop_reason_is_the_terminal() -> None:
    for ending in ("clean", "reset"):
        outcome = drive(START, *text(0, "Hi"), end()[0], ending=ending).outcome
        assert (outcome.ending, outcome.finish, outcome.error) == ("complete", "stop", None)


# Invariants over complete streams


STORY: tuple[Any, ...] = (
    START,
    *thinking(0, "H", "m", signed="s"),
    *text(1, "Hel", "lo"),
    *call(2, "a", "one", '{"a"', ": 1}"),
    *call(3, "b", "two"),
    *end("tool_use"),
)


@pytest.mark.parametrize("count", range(len(STORY) + 1))
def test_the_outcome_is_right_after_every_single_event(count: int) -> None:
    """At every event the content is what was emitted, and nothing is complete too early."""
    interface = AnthropicMessagesInterface()
    shown: list[Chunk] = []
    for event in sdk_events(*STORY[:count]):
        shown += interface.handle(event)
    outcome = interface.outcome()
    finished = count >= len(STORY) - 1
    assert outcome.text == "".join(c.text or "" for c in shown if c.kind == "text")
    assert outcome.reasoning == "".join(c.text or "" for c in shown if c.kind == "reasoning")
    assert outcome.ending == ("complete" if finished else "truncated")
    stopped = count >= STORY.index(stop(2)) + 1
    assert [c.complete for c in outcome.tool_calls] == [stopped, finished][
        : len(outcome.tool_calls)
    ]
    for found, index in zip(outcome.tool_calls, range(2), strict=False):
        fragments = (c.arguments or "" for c in shown if c.index == index)
        assert "".join(fragments) == found.arguments_raw


@pytest.mark.parametrize("cut", ["whole", "byte", "awkward", "random:7"])
async def test_the_asynchronous_sdk_gives_the_same_for_every_cut(cut: str) -> None:
    got = await drive_async(script(STORY, cut=cut))
    assert got.outcome == drive(*STORY).outcome


async def test_the_asynchronous_sdk_classifies_errors_too() -> None:
    got = await drive_async(script([START, *text(0, "Hel")[:-1], "error"]))
    assert isinstance(got.raised, anthropic.APIStatusError)
    assert got.outcome == drive(START, *text(0, "Hel")[:-1], "error").outcome
