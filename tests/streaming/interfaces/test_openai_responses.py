"""The Responses interface, through the real SDK: defects D31-D39, I1-I4, the OR cases."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import openai
import pytest

from harness.checks.laws import broken_laws
from harness.errors import StreamError
from harness.model import Media, Reasoning, Refusal, ServerTool, Text, Usage
from harness.streaming.interfaces.openai_responses import OpenAIResponsesInterface
from harness.streaming.wire_events import wire_events
from tests.streaming.interfaces.telling_openai_responses import (
    PROTOCOL,
    START,
    composed,
    script,
    tell,
    tell_async,
    tell_script,
)

if TYPE_CHECKING:
    from harness.model import Outcome

DELTA, TEXT_DONE = "response.output_text.delta", "response.output_text.done"
ADDED, DONE = "response.output_item.added", "response.output_item.done"
ARGUMENTS = "response.function_call_arguments"
COMPLETED: dict[str, Any] = {"response.completed": {}}
# A message that is open, so that deltas may follow.
OPEN: tuple[Any, ...] = (ADDED, "response.content_part.added")


def ended(word: str, **response: Any) -> dict[str, Any]:
    return {f"response.{word}": {"response": response}}


def error_of(told: Any) -> tuple[str, str | None, bool]:
    info = told.outcome.error
    return info.kind, info.code, info.retryable


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
    told = tell({"text": "So"}, ended("failed", error={"code": code, "message": "No."}))
    assert error_of(told) == (kind, code, retryable)
    assert (told.outcome.finish, told.outcome.ending, told.outcome.text) == (
        "error",
        "failed",
        "So",
    )
    assert isinstance(told.raised, StreamError)


def test_d31_flat_and_nested_error_events_are_one_error() -> None:
    fields = {"code": "rate_limit_exceeded", "message": "Slow down."}
    flat, nested = tell({"error": fields}), tell({"error": {"error": fields}})
    assert flat.outcome.error == nested.outcome.error
    assert isinstance(flat.raised, StreamError)
    assert isinstance(nested.raised, openai.APIError)


@pytest.mark.parametrize("error", [None, "it broke", {"code": "$absent", "message": "deep"}])
def test_d31_an_odd_error_object_is_an_error_all_the_same(error: Any) -> None:
    outcome = tell(ended("failed", error=error)).outcome
    assert outcome.error is not None
    assert outcome.error.kind == "unknown"
    assert outcome.error.message
    assert outcome.ending == "failed"


def test_d31_only_the_first_error_counts() -> None:
    told = tell({"error": {"code": "server_error", "message": "first"}}, ended("failed"))
    assert error_of(told)[1] == "server_error"
    assert [chunk.kind for chunk in told.outcome.chunks] == ["error", "stop_reason"]


def test_d32_reasoning_without_encrypted_content_keeps_everything() -> None:
    item: dict[str, Any] = {"type": "reasoning", "summary": [], "encrypted_content": None}
    told = tell({ADDED: {"item": item}}, {DONE: {"item": item}}, {"text": "Hi"}, COMPLETED)
    assert told.outcome.content == (Text(text="Hi"),)
    assert told.outcome.notes == ()


def test_d32_a_blob_alone_is_kept_and_the_done_item_has_the_right_one() -> None:
    half, whole = {"encrypted_content": "half"}, {"encrypted_content": "whole"}
    told = tell(
        {ADDED: {"item": {"type": "reasoning", **half}}}, {DONE: {"item": whole}}, COMPLETED
    )
    assert told.outcome.content == (Reasoning(text="", signature="whole"),)
    only_added = tell({ADDED: {"item": {"type": "reasoning", **half}}}, DONE, COMPLETED)
    assert only_added.outcome.content == (Reasoning(text="", signature="half"),)
    cut = tell({ADDED: {"item": {"type": "reasoning", **half}}})
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
    for index, (kind, words) in enumerate(parts):
        stem = "response.refusal" if kind == "refusal" else "response.output_text"
        at = {"at": [0, index]}
        entries += [
            {"response.content_part.added": {**at, "part": {"type": kind}}},
            {f"{stem}.delta": {**at, "delta": words}},
            {f"{stem}.done": at},
            {"response.content_part.done": at},
        ]
    assert tell(*entries, DONE, COMPLETED).outcome.content == content


def test_d34_a_cut_after_each_event_keeps_what_was_streamed() -> None:
    events = composed(
        *START,
        {"reasoning": {"says": ["a b", "c"], "encrypted": "x"}},
        {"text": "Hello you"},
        {"call": {"name": "f", "arguments": '{"a": 1}'}},
        COMPLETED,
    )
    for count in range(len(events)):
        outcome = tell_script(script(events[:count])).outcome
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
    told = tell({"call": {"name": "f", "arguments": "{}", "status": status}}, ended(ending))
    assert (told.call.complete, told.call.arguments) == (complete, {} if complete else None)


def test_d35_the_terminal_response_may_take_a_call_back() -> None:
    cut = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f"}
    output = [{**cut, "arguments": "{}", "status": "incomplete"}]
    told = tell({"call": {"name": "f", "arguments": "{}"}}, ended("incomplete", output=output))
    assert not told.call.complete


def test_d36_a_blank_line_stands_between_all_summary_parts() -> None:
    told = tell({"reasoning": ["one", "two", "three"]}, COMPLETED)
    assert told.outcome.reasoning == "one\n\ntwo\n\nthree"
    assert all(chunk.text for chunk in told.chunks("reasoning"))


def test_d36_empty_summary_parts_leave_no_blank_lines() -> None:
    told = tell({"reasoning": ["", "two", "", "four"]}, COMPLETED)
    assert told.outcome.reasoning == "two\n\nfour"


def test_d37_arguments_before_their_item_are_kept_for_it() -> None:
    told = tell(
        {f"{ARGUMENTS}.delta": {"at": [0], "item_id": "fc_1", "delta": '{"a"'}},
        {ADDED: {"at": [0], "item": {"type": "function_call", "name": "f", "call_id": "c"}}},
        {f"{ARGUMENTS}.delta": {"at": [0], "delta": ":1}"}},
        DONE,
        COMPLETED,
    )
    assert (told.call.arguments, told.call.id) == ({"a": 1}, "c")
    assert [chunk.name for chunk in told.chunks("tool_call")] == ["f", None]
    assert "missing_start: function_call" in told.outcome.notes


def test_d37_arguments_that_never_get_a_name_are_shown_at_last() -> None:
    delta = {f"{ARGUMENTS}.delta": {"at": [0], "item_id": "fc_1", "delta": "{}"}}
    told = tell(delta)
    assert (told.call.name, told.call.id, told.call.complete) == (None, "fc_1", False)
    assert [chunk.arguments for chunk in told.chunks("tool_call")] == ["{}"]
    assert_lawful(told.outcome)


def test_d38_no_event_is_dropped_over_many_parts() -> None:
    told = tell(*({"text": str(number)} for number in range(200)), COMPLETED)
    assert told.outcome.text == "".join(map(str, range(200)))
    assert len(told.outcome.content) == 200


def test_d39_custom_tools_refusals_and_raw_reasoning_are_delivered() -> None:
    custom, raw = "response.custom_tool_call_input", "response.reasoning_text"
    told = tell(
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
    assert (told.outcome.reasoning, told.outcome.refusal) == ("Hm", "No more")
    assert (told.call.name, told.call.arguments_raw, told.call.complete) == (
        "sql",
        "select 1",
        False,
    )
    assert "free_text_call: sql" in told.outcome.notes
    assert not told.interface.diagnostics.unknown


# What was right already


def test_i1_any_terminal_is_read() -> None:
    told = tell({"text": "Hi"}, ended("incomplete", usage={"input_tokens": 10, "output_tokens": 4}))
    assert (told.outcome.finish, told.outcome.finish_raw) == ("length", "max_output_tokens")
    assert told.outcome.usage == Usage(input=10, output=4, total=14)
    assert told.interface.raw_usage == {"input_tokens": 10, "output_tokens": 4}


@pytest.mark.parametrize("word", ["completed", "incomplete", "failed"])
def test_i3_usage_null_is_no_usage(word: str) -> None:
    outcome = tell({"text": "Hi"}, ended(word, usage=None)).outcome
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
    outcome = tell({"text": "Hi"}, ended(event, **response)).outcome
    assert outcome.finish == finish
    assert outcome.finish_raw == (raw or finish)
    assert_lawful(outcome)


def test_a_terminal_without_a_response_is_a_terminal() -> None:
    outcome = tell({"text": "Hi"}, {"response.completed": {"response": None}}).outcome
    assert (outcome.finish, outcome.model, outcome.response_id) == ("stop", "gpt-5-mini", "resp_1")


# Approvals


def test_calls_that_need_approval_ask_for_it_by_their_whole_name() -> None:
    told = tell(
        {"call": {"name": "delete"}},
        {"call": {"name": "delete_all"}},
        COMPLETED,
        requires_approval=["delete_all"],
    )
    assert [call.approval for call in told.outcome.tool_calls] == [None, True]
    assert {chunk.index for chunk in told.chunks("approval_request")} == {1}
    assert {chunk.index for chunk in told.chunks("tool_call")} == {0}


def test_a_remote_call_asks_by_the_id_of_its_request() -> None:
    item = {"type": "mcp_approval_request", "id": "mcpr_9", "name": "mail", "arguments": '{"a": 1}'}
    told = tell({ADDED: {"item": item}}, DONE, COMPLETED)
    assert (told.call.id, told.call.approval, told.call.arguments) == ("mcpr_9", True, {"a": 1})
    assert told.outcome.finish == "tool_calls"
    assert [chunk.kind for chunk in told.outcome.chunks][:2] == ["approval_request"] * 2


# Deltas and snapshots


def test_or020_deltas_win_over_empty_snapshots() -> None:
    told = tell(
        *OPEN, {DELTA: "Hi"}, {TEXT_DONE: {"text": ""}}, DONE, ended("completed", output=[])
    )
    assert told.outcome.text == "Hi"


@pytest.mark.parametrize(
    "where",
    [
        [{TEXT_DONE: {"text": "Hi"}}],
        [{"response.content_part.done": {"part": {"type": "output_text", "text": "Hi"}}}],
        [{DONE: {"item": {"content": [{"type": "output_text", "text": "Hi"}]}}}],
    ],
)
def test_or021_a_text_without_deltas_is_said_once(where: list[Any]) -> None:
    output = [
        {"type": "message", "id": "msg_1", "content": [{"type": "output_text", "text": "Hi"}]}
    ]
    told = tell(*OPEN, *where, ended("completed", output=output))
    assert [chunk.text for chunk in told.chunks("text")] == ["Hi"]


def test_a_snapshot_that_goes_on_behind_the_deltas_says_the_rest() -> None:
    content = [{"type": "output_text", "text": "Hello"}]
    told = tell(*OPEN, {DELTA: "Hel"}, {DONE: {"item": {"content": content}}}, COMPLETED)
    assert [chunk.text for chunk in told.chunks("text")] == ["Hel", "lo"]


def test_a_snapshot_that_contradicts_the_deltas_is_noted() -> None:
    content = [{"type": "output_text", "text": "Bye"}]
    told = tell(*OPEN, {DELTA: "Hello"}, {DONE: {"item": {"content": content}}}, COMPLETED)
    assert told.outcome.text == "Hello"
    assert "snapshot_differs: message" in told.outcome.notes


def test_a_text_told_under_another_index_is_not_said_twice() -> None:
    at = {"at": [0, 0], "content_index": 3}
    told = tell(*OPEN, {DELTA: {**at, "delta": "Hi"}}, DONE, COMPLETED)
    assert told.outcome.text == "Hi"


@pytest.mark.parametrize(
    ("deltas", "text"),
    [(["ab", "cd", "abcd"], "abcd"), (["ab", "cd", "abcd", "e"], "abcdabcde"), (["a", "a"], "aa")],
)
def test_or023_an_echo_is_known_by_what_follows(deltas: list[str], text: str) -> None:
    told = tell(*OPEN, *({DELTA: delta} for delta in deltas), {TEXT_DONE: {"text": text}})
    assert told.outcome.text == text
    assert ("repeated_text" in told.outcome.notes) == (text == "abcd")


def test_or023_an_echo_nobody_explains_is_said_at_the_end() -> None:
    told = tell(*OPEN, {DELTA: "ab"}, {DELTA: "cd"}, {DELTA: "abcd"})
    assert told.outcome.text == "abcdabcd"
    silent = tell(*OPEN, {DELTA: "a"}, {DELTA: "b"}, {DELTA: "ab"}, {TEXT_DONE: {"text": ""}})
    assert silent.outcome.text == "abab"


@pytest.mark.parametrize(
    ("deltas", "text"), [(["Hel", "lo"], "Hello"), (["Hello"], "Hello"), ([" you"], "Hello you")]
)
def test_an_opening_text_counts_unless_the_deltas_repeat_it(deltas: list[str], text: str) -> None:
    opening = {"response.content_part.added": {"part": {"type": "output_text", "text": "Hello"}}}
    told = tell(ADDED, opening, *({DELTA: delta} for delta in deltas))
    assert told.outcome.text == text


def test_an_opening_text_is_said_even_if_nothing_follows() -> None:
    opening = {"response.content_part.added": {"part": {"type": "output_text", "text": "Hi"}}}
    assert tell(ADDED, opening).outcome.text == "Hi"
    assert tell(ADDED, opening, {TEXT_DONE: {"text": ""}}, COMPLETED).outcome.text == "Hi"
    late = tell(*OPEN, {DELTA: "Hi"}, opening, {DELTA: "!"}, COMPLETED)
    assert late.outcome.text == "Hi!"


def test_an_item_may_be_added_with_its_parts() -> None:
    content = [{"type": "output_text", "text": "Hi"}, {"type": "smell"}]
    outcome = tell({ADDED: {"item": {"content": content}}}, DONE, COMPLETED).outcome
    assert outcome.text == "Hi"
    assert "unknown_part: smell" in outcome.notes


def test_or024_arguments_come_from_whatever_tells_them_even_a_second_done_item() -> None:
    places: list[Any] = [{f"{ARGUMENTS}.done": {"arguments": '{"a": 1}'}}, {DONE: {"item": {}}}]
    for where in places:
        item = {"type": "function_call", "name": "f"}
        done = {DONE: {"item": {"arguments": '{"a": 1}'}}}
        assert tell({ADDED: {"item": item}}, where, done, COMPLETED).call.arguments == {"a": 1}


def test_calls_without_any_id_are_calls_of_their_own() -> None:
    bare = {"type": "function_call", "id": None, "call_id": None, "name": "f"}
    told = tell(*[{ADDED: {"item": bare, "output_index": None}}] * 2)
    assert [(call.name, call.id) for call in told.outcome.tool_calls] == [("f", None)] * 2


def test_a_custom_call_that_is_cut_is_no_whole_one() -> None:
    item = {"type": "custom_tool_call", "name": "sql"}
    told = tell({ADDED: {"item": item}}, {DONE: {"item": {"status": "incomplete"}}})
    assert not [note for note in told.outcome.notes if note.startswith("free_text_call")]


def test_a_call_without_call_id_goes_by_the_id_of_its_item() -> None:
    item = {"type": "function_call", "id": 7, "call_id": None, "name": "f"}
    told = tell({ADDED: {"item": item}}, DONE, COMPLETED)
    assert (told.call.id, told.call.complete) == ("7", True)


def test_a_completed_response_closes_the_calls_its_items_left_open() -> None:
    told = tell(
        {ADDED: {"item": {"type": "function_call", "name": "f"}}}, ended("completed", output=[])
    )
    assert told.call.complete


def test_citations_are_kept_once() -> None:
    cited = "response.output_text.annotation.added"
    told = tell(*OPEN, {cited: {}}, {DELTA: "Hi"}, {cited: {"annotation": None}}, DONE, COMPLETED)
    [text] = told.outcome.content
    assert isinstance(text, Text)
    assert text.citations is not None
    assert [one["title"] for one in text.citations if one] == ["Example"]


# Which item


@pytest.mark.parametrize("names", [{}, {"item_id": None}, {"output_index": None}])
def test_or018_what_is_missing_is_found_by_what_is_there(names: dict[str, Any]) -> None:
    told = tell(*OPEN, {DELTA: {"delta": "Hi", "content_index": None, **names}}, DONE, COMPLETED)
    assert told.outcome.content == (Text(text="Hi"),)


def test_or017_a_delta_for_an_item_nobody_added_opens_it() -> None:
    one = {"at": [0, 0], "item_id": "msg_1", "delta": "one "}
    two = {"at": [1, 0], "item_id": "msg_2", "delta": "two"}
    told = tell({DELTA: one}, {DELTA: two}, ended("completed", output=[]))
    assert told.outcome.content == (Text(text="one "), Text(text="two"))


def test_or017_an_unknown_id_without_index_is_an_item_of_its_own() -> None:
    item = {"type": "function_call", "name": "f"}
    stray = {"item_id": "fc_9", "output_index": None, "delta": "{}"}
    told = tell({ADDED: {"item": item}}, {f"{ARGUMENTS}.delta": stray})
    assert [call.arguments_raw for call in told.outcome.tool_calls] == ["", "{}"]


def test_an_index_that_is_used_again_is_another_item() -> None:
    added = [{ADDED: {"at": [0], "item": {"id": f"m{n}", "content": []}}} for n in (1, 2)]
    text: dict[str, Any] = {"content": [{"type": "output_text", "text": "Hi"}]}
    done = [{DONE: {"at": [0], "item": {"id": f"m{n}", **text}}} for n in (1, 2, 3)]
    assert tell(*added, *done, ended("completed", output=[])).outcome.text == "HiHiHi"


def test_an_item_told_by_the_terminal_alone_is_delivered() -> None:
    output: list[Any] = [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm"}]},
        {"type": "message", "id": "other", "content": [{"type": "output_text", "text": "Hi"}]},
        {"type": "message", "content": [{"type": "output_text", "text": "!"}]},
        None,
    ]
    told = tell({"text": "Hi"}, ended("completed", output=output))
    assert (told.outcome.text, told.outcome.reasoning) == ("Hi!", "Hm")
    assert "unknown_item" in told.outcome.notes


# Numbers


def test_tr021_an_event_that_came_before_is_dropped() -> None:
    same = {DELTA: {"delta": "ha", "sequence_number": 4}}
    told = tell(*OPEN, same, same, ended("completed", output=[]))
    assert told.outcome.text == "ha"
    assert "repeated_event" in told.outcome.notes


def test_or036_a_gap_that_is_filled_is_none() -> None:
    numbers = ((4, "a"), (7, "d"), (9, "f"), (8, "e"), (5, "b"), (6, "c"), (10, "g"))
    deltas = ({DELTA: {"delta": text, "sequence_number": n}} for n, text in numbers)
    told = tell(*OPEN, *deltas, ended("completed", output=[]))
    assert (told.outcome.text, told.outcome.ending) == ("adfebcg", "complete")


def test_or036_what_never_came_is_an_error() -> None:
    numbers = (4, 6, 9)
    deltas = ({DELTA: {"delta": str(n), "sequence_number": n}} for n in numbers)
    told = tell(*OPEN, *deltas, COMPLETED)
    assert error_of(told) == ("truncated", None, True)
    assert told.outcome.error is not None
    assert "5, 7 to 8" in told.outcome.error.message
    assert isinstance(told.raised, StreamError)


@pytest.mark.parametrize("number", [0, None, "$absent", "seven"])
def test_numbers_that_count_nothing_drop_nothing(number: Any) -> None:
    fixed = {"sequence_number": number}
    entries = [{word: fixed} for word in (*START, *OPEN)]
    deltas = ({DELTA: {"delta": text, **fixed}} for text in ("ha", "ha"))
    spoken = script(
        composed(*entries, *deltas, {"response.completed": {**fixed, "response": {"output": []}}})
    )
    assert tell_script(spoken).outcome.text == "haha"


# Tools that are no functions


def test_hosted_tools_are_kept_in_order_and_never_called() -> None:
    told = tell(
        {"text": "a"},
        {ADDED: {"item": {"type": "web_search_call"}}},
        DONE,
        {"text": "b"},
        COMPLETED,
    )
    assert [part.kind for part in told.outcome.content] == ["text", "server_tool", "text"]
    [tool] = [part for part in told.outcome.content if isinstance(part, ServerTool)]
    assert (tool.name, tool.id, tool.data["status"]) == ("web_search_call", "ws_2", "completed")
    assert told.outcome.finish == "stop"


def test_a_program_the_stream_breaks_off_in_is_kept() -> None:
    code = {"response.code_interpreter_call_code.delta": "import"}
    told = tell({ADDED: {"item": {"type": "code_interpreter_call"}}}, code)
    [tool] = told.outcome.content
    assert isinstance(tool, ServerTool)
    assert tool.data["code"] == "import"
    stray = tell(
        {"response.mcp_call_arguments.delta": {"at": [0], "item_id": "mcp_1", "delta": "{"}}
    )
    assert stray.outcome.content == (
        ServerTool(name="mcp_call", id="mcp_1", data={"arguments": "{"}),
    )


def test_an_image_replaces_its_sketches() -> None:
    image = {ADDED: {"item": {"type": "image_generation_call"}}}
    sketch = {"response.image_generation_call.partial_image": {"partial_image_b64": "cw=="}}
    done = {DONE: {"item": {"result": "cA==", "output_format": "svg"}}}
    nothing = {"response.image_generation_call.partial_image": {"partial_image_b64": None}}
    [media] = tell(image, sketch, nothing, done, COMPLETED).outcome.content
    assert media == Media(media_type="image/svg+xml", data="cA==")
    assert tell(image, sketch).outcome.content == (Media(data="cw=="),)
    assert tell(image).outcome.content == ()
    assert tell(image, sketch, DONE, COMPLETED).outcome.content == (Media(data="cw=="),)
    [failed] = tell(image, {DONE: {"item": {"status": "failed"}}}, COMPLETED).outcome.content
    assert failed.kind == "server_tool"


def test_a_shell_call_is_the_clients_unless_a_container_runs_it() -> None:
    mine = {"type": "shell_call", "call_id": "c1", "action": {"commands": []}}
    done = {DONE: {"item": {"action": {"commands": ["ls"]}}}}
    told = tell({ADDED: {"item": mine}}, done, COMPLETED)
    assert (told.call.name, told.call.arguments) == ("shell", {"action": {"commands": ["ls"]}})
    theirs = {**mine, "environment": {"type": "container_reference", "container_id": "c"}}
    assert tell({ADDED: {"item": theirs}}, done, COMPLETED).outcome.tool_calls == ()


# Odd events


def test_odd_objects_break_nothing() -> None:
    told = tell(
        {ADDED: {"item": None}},
        {DONE: {"item": "a string"}},
        {"event": {"data": "[]"}},
        {"event": {"data": "null"}},
        {"event": {"data": {"foo": 1}}},
        {"event": {"data": {"type": "ping"}}},
        *OPEN,
        {DELTA: {"delta": None}},
        {DELTA: {"delta": ["a"]}},
        {DELTA: {"delta": "Hi", "item_id": ["x"], "output_index": {}}},
        {"response.reasoning_summary_part.added": {"at": [1, 0], "part": {"type": "$absent"}}},
        {"response.content_part.added": {"at": [0, 1], "part": {"type": "smell"}}},
        {"response.content_part.done": {"at": [0, 1], "part": {"type": "smell"}}},
        COMPLETED,
    )
    assert told.outcome.text == "Hi"
    assert told.outcome.finish == "stop"
    assert set(told.interface.diagnostics.unknown) == {
        "item: None",
        "event: list",
        "event: NoneType",
        "event: ResponseAudioDeltaEvent",
        "event: ping",
        "part: smell",
    }


def test_or034_the_sdks_guess_about_an_unknown_event_is_not_believed() -> None:
    unknown = {"event": {"data": {"type": "response.new.delta", "delta": "zzz"}}}
    told = tell(*OPEN, {DELTA: "Hi"}, unknown, "keepalive", DONE, COMPLETED)
    assert told.outcome.text == "Hi"
    assert told.outcome.notes == ("unknown_event: response.new.delta",)


# The whole way


async def test_async_and_sync_tell_the_same() -> None:
    spoken = script(composed(*START, {"text": "Hi"}, {"call": {"name": "f"}}, COMPLETED), "awkward")
    told = await tell_async(spoken)
    assert told.outcome == tell_script(spoken).outcome
    assert told.raised is None


async def test_a_refused_request_is_an_error_of_its_kind() -> None:
    body = b'{"error": {"message": "No.", "type": "x", "code": "rate_limit_exceeded"}}'
    spoken = script([body])._replace(status=429, headers=(("content-type", "application/json"),))
    for told in (tell_script(spoken), await tell_async(spoken)):
        assert error_of(told) == ("rate_limit", "rate_limit_exceeded", True)
        assert told.outcome.ending == "failed"


def test_instances_share_nothing() -> None:
    first, second = OpenAIResponsesInterface(), OpenAIResponsesInterface()
    first.handle(SimpleNamespace(type=DELTA, delta="Hi", item_id="m"))
    assert (first.outcome().text, second.outcome().text) == ("Hi", "")


def test_a_delta_costs_the_same_however_long_the_stream_is() -> None:
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
    assert [words for _, words in broken_laws(outcome, PROTOCOL.finish) if words] == []
