"""The Responses interface through the real SDK: defects D31-D39, I1-I4, the OR cases."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import openai
import pytest

from harness.checks.invariants import evaluate_invariants
from harness.errors import StreamError
from harness.model import Reasoning, Refusal, Text, Usage
from harness.streaming.decoding import wire_events
from harness.streaming.interfaces.openai_responses.interface import OpenAIResponsesInterface
from tests.streaming.interfaces.driving_openai_responses import (
    ADDED,
    ARGUMENTS,
    COMPLETED,
    DELTA,
    DONE,
    PROTOCOL,
    START,
    composed,
    drive,
    drive_async,
    drive_script,
    ended,
    script,
)

if TYPE_CHECKING:
    from harness.model import Outcome


# The defects of the first implementation


@pytest.mark.parametrize(
    ("code", "kind", "retryable"),
    [
        ("server_error", "server", True),
        ("rate_limit_exceeded", "rate_limit", True),
        ("insufficient_quota", "rate_limit", False),
        ("context_length_exceeded", "context_overflow", False),
        ("invalid_prompt", "bad_request", False),
        ("invalid_image_url", "bad_request", False),
        ("bio_policy", "content_policy", False),
        ("vector_store_timeout", "timeout", True),
        ("brand_new_code", "unknown", False),
    ],
)
def test_d31_a_failed_response_is_an_error_of_its_kind(
    code: str, kind: str, *, retryable: bool
) -> None:
    got = drive({"text": "So"}, ended("failed", error={"code": code, "message": "No."}))
    assert got.error == (kind, code, retryable)
    assert (got.outcome.finish, got.outcome.ending, got.outcome.text) == (
        "error",
        "failed",
        "So",
    )
    assert isinstance(got.raised, StreamError)


def test_d31_flat_and_nested_error_events_are_one_error() -> None:
    fields = {"code": "rate_limit_exceeded", "message": "Slow down."}
    flat, nested = drive({"error": fields}), drive({"error": {"error": fields}})
    assert flat.outcome.error == nested.outcome.error
    assert isinstance(flat.raised, StreamError)
    assert isinstance(nested.raised, openai.APIError)


@pytest.mark.parametrize("error", [None, "it broke", {"code": "$absent", "message": "deep"}])
def test_d31_an_unusual_error_object_is_an_error(error: Any) -> None:
    outcome = drive(ended("failed", error=error)).outcome
    assert outcome.error is not None
    assert outcome.error.kind == "unknown"
    assert outcome.error.message
    assert outcome.ending == "failed"


def test_d31_only_the_first_error_counts() -> None:
    got = drive({"error": {"code": "server_error", "message": "first"}}, ended("failed"))
    assert got.error[1] == "server_error"
    assert [chunk.kind for chunk in got.outcome.chunks] == ["error", "stop_reason"]


def test_d32_reasoning_without_encrypted_content_keeps_everything() -> None:
    item: dict[str, Any] = {"type": "reasoning", "summary": [], "encrypted_content": None}
    got = drive({ADDED: {"item": item}}, {DONE: {"item": item}}, {"text": "Hi"}, COMPLETED)
    assert got.outcome.content == (Text(text="Hi"),)
    assert got.outcome.notes == ()


def test_d32_encrypted_content_alone_is_kept_and_the_done_item_decides() -> None:
    half, whole = {"encrypted_content": "half"}, {"encrypted_content": "whole"}
    got = drive(
        {ADDED: {"item": {"type": "reasoning", **half}}}, {DONE: {"item": whole}}, COMPLETED
    )
    assert got.outcome.content == (Reasoning(text="", signature="whole"),)
    output = [{"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "anew"}]
    both = drive(
        {ADDED: {"item": {"type": "reasoning"}}},
        {DONE: {"item": whole}},
        ended("completed", output=output),
    )
    assert both.outcome.content == (Reasoning(text="", signature="whole"),)
    only_added = drive({ADDED: {"item": {"type": "reasoning", **half}}}, DONE, COMPLETED)
    assert only_added.outcome.content == (Reasoning(text="", signature="half"),)
    cut = drive({ADDED: {"item": {"type": "reasoning", **half}}})
    assert cut.outcome.content == ()


@pytest.mark.parametrize(
    ("parts", "content"),
    [
        ([], ()),
        ([("output_text", "a")], (Text(text="a"),)),
        ([("output_text", "a"), ("output_text", "b")], (Text(text="a"), Text(text="b"))),
        ([("output_text", "a"), ("refusal", "b")], (Text(text="a"), Refusal(text="b"))),
        ([("output_text", ""), ("refusal", "b")], (Refusal(text="b"),)),
    ],
)
def test_d33_i4_any_number_of_parts_of_any_kind(
    parts: list[tuple[str, str]], content: tuple[Any, ...]
) -> None:
    entries: list[Any] = [ADDED]
    for index, (kind, text) in enumerate(parts):
        stem = "response.refusal" if kind == "refusal" else "response.output_text"
        at = {"at": [0, index]}
        entries += [
            {"response.content_part.added": {**at, "part": {"type": kind}}},
            {f"{stem}.delta": {**at, "delta": text}},
            {f"{stem}.done": at},
            {"response.content_part.done": at},
        ]
    assert drive(*entries, DONE, COMPLETED).outcome.content == content


def test_d34_a_cut_after_each_event_keeps_what_was_streamed() -> None:
    events = composed(
        *START,
        {"reasoning": {"says": ["a b", "c"], "encrypted": "x"}},
        {"text": "Hello you"},
        {"call": {"name": "f", "arguments": '{"a": 1}'}},
        COMPLETED,
    )
    for count in range(len(events)):
        outcome = drive_script(script(events[:count])).outcome
        shown = "".join(chunk.text or "" for chunk in outcome.chunks if chunk.kind == "text")
        assert (outcome.text, outcome.ending) == (shown, "truncated")
        assert outcome.error is not None
        assert_lawful(outcome)


def test_d34_the_outcome_is_right_after_every_single_event() -> None:
    interface = OpenAIResponsesInterface()
    events = composed(*START, {"text": "Hello you"}, {"call": {"name": "f"}}, COMPLETED)
    shown = ""
    for event in wire_events((PROTOCOL.frame(event) for event in events), "openai_responses"):  # type: ignore[arg-type]  # nothing raw was composed
        shown += "".join(c.text or "" for c in interface.handle(event) if c.kind == "text")
        assert interface.outcome().text == shown
    assert interface.outcome().finish == "tool_calls"


@pytest.mark.parametrize(
    ("status", "ending", "complete"),
    [
        ("completed", "completed", True),
        ("incomplete", "completed", False),
        ("in_progress", "completed", True),
        ("completed", "incomplete", True),
        ("incomplete", "incomplete", False),
        ("$absent", "completed", True),
        ("$absent", "incomplete", False),
    ],
)
def test_d35_an_incomplete_call_is_not_executable(
    status: str, ending: str, *, complete: bool
) -> None:
    got = drive({"call": {"name": "f", "arguments": "{}", "status": status}}, ended(ending))
    assert (got.call.complete, got.call.arguments) == (complete, {} if complete else None)


def test_d35_the_terminal_response_may_reopen_a_call() -> None:
    cut = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f"}
    output = [{**cut, "arguments": "{}", "status": "incomplete"}]
    got = drive({"call": {"name": "f", "arguments": "{}"}}, ended("incomplete", output=output))
    assert not got.call.complete


def test_d36_summary_parts_are_separated_by_blank_lines() -> None:
    got = drive({"reasoning": ["one", "two", "three"]}, COMPLETED)
    assert got.outcome.reasoning == "one\n\ntwo\n\nthree"
    assert all(chunk.text for chunk in got.chunks("reasoning"))


def test_d36_empty_summary_parts_add_no_blank_lines() -> None:
    got = drive({"reasoning": ["", "two", "", "four"]}, COMPLETED)
    assert got.outcome.reasoning == "two\n\nfour"


def test_d37_arguments_before_their_item_are_kept_for_it() -> None:
    got = drive(
        {f"{ARGUMENTS}.delta": {"at": [0], "item_id": "fc_1", "delta": '{"a"'}},
        {ADDED: {"at": [0], "item": {"type": "function_call", "name": "f", "call_id": "c"}}},
        {f"{ARGUMENTS}.delta": {"at": [0], "delta": ":1}"}},
        DONE,
        COMPLETED,
    )
    assert (got.call.arguments, got.call.id) == ({"a": 1}, "c")
    assert [chunk.name for chunk in got.chunks("tool_call")] == ["f", None]
    assert "missing_start: function_call" in got.outcome.notes


def test_d37_arguments_without_a_name_are_emitted_at_the_end() -> None:
    delta = {f"{ARGUMENTS}.delta": {"at": [0], "item_id": "fc_1", "delta": "{}"}}
    got = drive(delta)
    assert (got.call.name, got.call.id, got.call.complete) == (None, "fc_1", False)
    assert [chunk.arguments for chunk in got.chunks("tool_call")] == ["{}"]
    assert_lawful(got.outcome)


def test_d38_no_event_is_dropped_over_many_parts() -> None:
    got = drive(*({"text": str(number)} for number in range(200)), COMPLETED)
    assert got.outcome.text == "".join(map(str, range(200)))
    assert len(got.outcome.content) == 200


def test_d39_custom_tools_refusals_and_raw_reasoning_are_delivered() -> None:
    custom, raw = "response.custom_tool_call_input", "response.reasoning_text"
    got = drive(
        {ADDED: {"item": {"type": "reasoning"}}},
        {"response.content_part.added": {"part": {"type": "reasoning_text"}}},
        {f"{raw}.delta": "Hm"},
        f"{raw}.done",
        {"response.content_part.done": {"part": {"type": "reasoning_text"}}},
        DONE,
        {ADDED: {"item": {"type": "custom_tool_call", "name": "sql", "call_id": "c"}}},
        {f"{custom}.delta": "select"},
        {f"{custom}.delta": " 1"},
        f"{custom}.done",
        DONE,
        {"refusal": "No more"},
        COMPLETED,
    )
    assert (got.outcome.reasoning, got.outcome.refusal) == ("Hm", "No more")
    assert (got.call.name, got.call.arguments_raw, got.call.complete) == (
        "sql",
        "select 1",
        False,
    )
    assert "free_text_call: sql" in got.outcome.notes
    assert not got.interface.diagnostics.unknown


# Terminal events and usage


def test_i1_every_terminal_event_is_read() -> None:
    got = drive({"text": "Hi"}, ended("incomplete", usage={"input_tokens": 10, "output_tokens": 4}))
    assert (got.outcome.finish, got.outcome.finish_raw) == ("length", "max_output_tokens")
    assert got.outcome.usage == Usage(input=10, output=4, total=14)
    assert got.interface.raw_usage == {"input_tokens": 10, "output_tokens": 4}


@pytest.mark.parametrize("word", ["completed", "incomplete", "failed"])
def test_i3_null_usage_is_not_reported(word: str) -> None:
    outcome = drive({"text": "Hi"}, ended(word, usage=None)).outcome
    assert (outcome.usage, outcome.text) == (None, "Hi")
    assert ("usage_missing" in outcome.notes) == (word != "failed")


@pytest.mark.parametrize(
    ("event", "response", "finish", "raw"),
    [
        ("completed", {}, "stop", "completed"),
        ("completed", {"status": None}, "stop", "completed"),
        ("completed", {"status": "in_progress"}, "stop", "completed"),
        ("completed", {"status": "incomplete"}, "length", "incomplete"),
        ("incomplete", {"status": "completed"}, "length", "max_output_tokens"),
        ("incomplete", {"incomplete_details": None, "status": "completed"}, "length", "incomplete"),
        ("incomplete", {"incomplete_details": {}}, "length", "max_output_tokens"),
        ("incomplete", {"incomplete_details": {"reason": None}}, "length", "incomplete"),
        (
            "incomplete",
            {"incomplete_details": {"reason": "content_filter"}},
            "content_filter",
            None,
        ),
        ("incomplete", {"incomplete_details": {"reason": "steered"}}, "pause", "steered"),
        ("incomplete", {"incomplete_details": {"reason": "sunset"}}, "unknown", "sunset"),
        ("incomplete", {"incomplete_details": None, "status": "cancelled"}, "cancelled", None),
        ("completed", {"status": "failed", "error": None}, "error", "failed"),
    ],
)
def test_status_and_reason_decide_the_finish(
    event: str, response: Any, finish: str, raw: str | None
) -> None:
    outcome = drive({"text": "Hi"}, ended(event, **response)).outcome
    assert outcome.finish == finish
    assert outcome.finish_raw == (raw or finish)
    assert_lawful(outcome)


def test_a_terminal_event_without_a_response_ends_the_stream() -> None:
    outcome = drive({"text": "Hi"}, {"response.completed": {"response": None}}).outcome
    assert (outcome.finish, outcome.model, outcome.response_id) == ("stop", "gpt-5-mini", "resp_1")


# Approvals


def test_calls_that_need_approval_are_matched_by_complete_name() -> None:
    got = drive(
        {"call": {"name": "delete"}},
        {"call": {"name": "delete_all"}},
        COMPLETED,
        requires_approval=["delete_all"],
    )
    assert [call.approval for call in got.outcome.tool_calls] == [None, True]
    assert {chunk.index for chunk in got.chunks("approval_request")} == {1}
    assert {chunk.index for chunk in got.chunks("tool_call")} == {0}


def test_an_approval_request_has_the_id_of_its_item() -> None:
    item = {"type": "mcp_approval_request", "id": "mcpr_9", "name": "mail", "arguments": '{"a": 1}'}
    got = drive({ADDED: {"item": item}}, DONE, COMPLETED)
    assert (got.call.id, got.call.approval, got.call.arguments) == (
        "mcpr_9",
        True,
        {"a": 1},
    )
    assert got.outcome.finish == "tool_calls"
    assert [chunk.kind for chunk in got.outcome.chunks][:2] == ["approval_request"] * 2


# Complete streams


async def test_async_and_sync_give_the_same() -> None:
    response = script(
        composed(*START, {"text": "Hi"}, {"call": {"name": "f"}}, COMPLETED), "awkward"
    )
    got = await drive_async(response)
    assert got.outcome == drive_script(response).outcome
    assert got.raised is None


async def test_a_rejected_request_is_an_error_of_its_kind() -> None:
    body = b'{"error": {"message": "No.", "type": "x", "code": "rate_limit_exceeded"}}'
    response = script([body])._replace(status=429, headers=(("content-type", "application/json"),))
    for got in (drive_script(response), await drive_async(response)):
        assert got.error == ("rate_limit", "rate_limit_exceeded", True)
        assert got.outcome.ending == "failed"


def test_instances_share_no_state() -> None:
    first, second = OpenAIResponsesInterface(), OpenAIResponsesInterface()
    first.handle(SimpleNamespace(type=DELTA, delta="Hi", item_id="m"))
    assert (first.outcome().text, second.outcome().text) == ("Hi", "")


def test_the_cost_of_a_delta_does_not_grow_with_the_stream() -> None:
    def seconds(count: int) -> float:
        interface = OpenAIResponsesInterface()
        events = [
            SimpleNamespace(type=DELTA, delta=f"w{n % 7}", item_id="m", output_index=0,
                            content_index=0, sequence_number=n)
            for n in range(count)
        ]  # fmt: skip
        start = time.process_time()
        for event in events:
            interface.handle(event)
        return (time.process_time() - start) / count

    short = min(seconds(500) for _ in range(5))
    assert min(seconds(20_000) for _ in range(3)) < 4 * short


def assert_lawful(outcome: Outcome) -> None:
    assert [text for _, text in evaluate_invariants(outcome, PROTOCOL.finish) if text] == []
