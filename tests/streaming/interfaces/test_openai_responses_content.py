"""Deltas and final texts, item lookup, sequence numbers, other tools (OR-016 and later)."""

from __future__ import annotations

from typing import Any

import pytest

from harness.errors import StreamError
from harness.model import Media, ServerTool, Text
from tests.streaming.interfaces.driving_openai_responses import (
    ADDED,
    ARGUMENTS,
    COMPLETED,
    DELTA,
    DONE,
    OPEN,
    START,
    TEXT_DONE,
    composed,
    drive,
    drive_script,
    ended,
    script,
)

# Deltas and final texts


def test_or020_deltas_win_over_empty_final_texts() -> None:
    got = drive(
        *OPEN, {DELTA: "Hi"}, {TEXT_DONE: {"text": ""}}, DONE, ended("completed", output=[])
    )
    assert got.outcome.text == "Hi"


@pytest.mark.parametrize(
    "where",
    [
        [{TEXT_DONE: {"text": "Hi"}}],
        [{"response.content_part.done": {"part": {"type": "output_text", "text": "Hi"}}}],
        [{DONE: {"item": {"content": [{"type": "output_text", "text": "Hi"}]}}}],
    ],
)
def test_or021_a_text_without_deltas_is_emitted_once(where: list[Any]) -> None:
    output = [
        {"type": "message", "id": "msg_1", "content": [{"type": "output_text", "text": "Hi"}]}
    ]
    got = drive(*OPEN, *where, ended("completed", output=output))
    assert [chunk.text for chunk in got.chunks("text")] == ["Hi"]


def test_a_longer_final_text_emits_the_rest() -> None:
    content = [{"type": "output_text", "text": "Hello"}]
    got = drive(*OPEN, {DELTA: "Hel"}, {DONE: {"item": {"content": content}}}, COMPLETED)
    assert [chunk.text for chunk in got.chunks("text")] == ["Hel", "lo"]


def test_or022_an_early_done_event_does_not_end_the_part() -> None:
    early = {TEXT_DONE: {"text": "One, two"}}
    got = drive(*OPEN, {DELTA: "One"}, early, {DELTA: ", two"}, DONE, COMPLETED)
    assert got.outcome.text == "One, two"
    assert got.outcome.notes == ()


def test_a_snapshot_that_contradicts_the_deltas_is_noted() -> None:
    content = [{"type": "output_text", "text": "Bye"}]
    got = drive(*OPEN, {DELTA: "Hello"}, {DONE: {"item": {"content": content}}}, COMPLETED)
    assert got.outcome.text == "Hello"
    assert "snapshot_differs: message" in got.outcome.notes


def test_a_text_under_another_index_is_not_repeated() -> None:
    at = {"at": [0, 0], "content_index": 3}
    got = drive(*OPEN, {DELTA: {**at, "delta": "Hi"}}, DONE, COMPLETED)
    assert got.outcome.text == "Hi"


@pytest.mark.parametrize(
    ("deltas", "text"),
    [(["ab", "cd", "abcd"], "abcd"), (["ab", "cd", "abcd", "e"], "abcdabcde"), (["a", "a"], "aa")],
)
def test_or023_a_repetition_is_recognised_by_the_next_event(deltas: list[str], text: str) -> None:
    got = drive(*OPEN, *({DELTA: delta} for delta in deltas), {TEXT_DONE: {"text": text}})
    assert got.outcome.text == text
    assert ("repeated_text" in got.outcome.notes) == (text == "abcd")


def test_or023_an_unexplained_repetition_is_emitted_at_the_end() -> None:
    got = drive(*OPEN, {DELTA: "ab"}, {DELTA: "cd"}, {DELTA: "abcd"})
    assert got.outcome.text == "abcdabcd"
    silent = drive(*OPEN, {DELTA: "a"}, {DELTA: "b"}, {DELTA: "ab"}, {TEXT_DONE: {"text": ""}})
    assert silent.outcome.text == "abab"


@pytest.mark.parametrize(
    ("deltas", "text"), [(["Hel", "lo"], "Hello"), (["Hello"], "Hello"), ([" you"], "Hello you")]
)
def test_an_opening_text_counts_unless_the_deltas_repeat_it(deltas: list[str], text: str) -> None:
    opening = {"response.content_part.added": {"part": {"type": "output_text", "text": "Hello"}}}
    got = drive(ADDED, opening, *({DELTA: delta} for delta in deltas))
    assert got.outcome.text == text


def test_an_opening_text_is_emitted_even_if_nothing_follows() -> None:
    opening = {"response.content_part.added": {"part": {"type": "output_text", "text": "Hi"}}}
    assert drive(ADDED, opening).outcome.text == "Hi"
    assert drive(ADDED, opening, {TEXT_DONE: {"text": ""}}, COMPLETED).outcome.text == "Hi"
    late = drive(*OPEN, {DELTA: "Hi"}, opening, {DELTA: "!"}, COMPLETED)
    assert late.outcome.text == "Hi!"


def test_an_item_may_be_added_with_its_parts() -> None:
    content = [{"type": "output_text", "text": "Hi"}, {"type": "smell"}]
    outcome = drive({ADDED: {"item": {"content": content}}}, DONE, COMPLETED).outcome
    assert outcome.text == "Hi"
    assert "unknown_part: smell" in outcome.notes


def test_or024_arguments_are_taken_from_any_event_that_has_them() -> None:
    places: list[Any] = [{f"{ARGUMENTS}.done": {"arguments": '{"a": 1}'}}, {DONE: {"item": {}}}]
    for where in places:
        item = {"type": "function_call", "name": "f"}
        done = {DONE: {"item": {"arguments": '{"a": 1}'}}}
        assert drive({ADDED: {"item": item}}, where, done, COMPLETED).call.arguments == {"a": 1}


def test_calls_without_ids_are_separate_calls() -> None:
    bare = {"type": "function_call", "id": None, "call_id": None, "name": "f"}
    got = drive(*[{ADDED: {"item": bare, "output_index": None}}] * 2)
    assert [(call.name, call.id) for call in got.outcome.tool_calls] == [("f", None)] * 2


def test_a_custom_call_that_is_cut_is_not_noted_as_closed() -> None:
    item = {"type": "custom_tool_call", "name": "sql"}
    got = drive({ADDED: {"item": item}}, {DONE: {"item": {"status": "incomplete"}}})
    assert not [note for note in got.outcome.notes if note.startswith("free_text_call")]


def test_a_call_without_call_id_uses_the_id_of_its_item() -> None:
    item = {"type": "function_call", "id": 7, "call_id": None, "name": "f"}
    got = drive({ADDED: {"item": item}}, DONE, COMPLETED)
    assert (got.call.id, got.call.complete) == ("7", True)


def test_a_completed_response_closes_open_calls() -> None:
    got = drive(
        {ADDED: {"item": {"type": "function_call", "name": "f"}}}, ended("completed", output=[])
    )
    assert got.call.complete


def test_citations_are_kept_once() -> None:
    cited = "response.output_text.annotation.added"
    got = drive(*OPEN, {cited: {}}, {DELTA: "Hi"}, {cited: {"annotation": None}}, DONE, COMPLETED)
    [text] = got.outcome.content
    assert isinstance(text, Text)
    assert text.citations is not None
    assert [one["title"] for one in text.citations if one] == ["Example"]


# Item lookup


@pytest.mark.parametrize("names", [{}, {"item_id": None}, {"output_index": None}])
def test_or018_an_item_is_found_by_id_or_index(names: dict[str, Any]) -> None:
    got = drive(*OPEN, {DELTA: {"delta": "Hi", "content_index": None, **names}}, DONE, COMPLETED)
    assert got.outcome.content == (Text(text="Hi"),)


def test_or017_a_delta_for_an_item_never_added_opens_it() -> None:
    one = {"at": [0, 0], "item_id": "msg_1", "delta": "one "}
    two = {"at": [1, 0], "item_id": "msg_2", "delta": "two"}
    got = drive({DELTA: one}, {DELTA: two}, ended("completed", output=[]))
    assert got.outcome.content == (Text(text="one "), Text(text="two"))


def test_or017_an_unknown_id_without_index_is_a_new_item() -> None:
    item = {"type": "function_call", "name": "f"}
    stray = {"item_id": "fc_9", "output_index": None, "delta": "{}"}
    got = drive({ADDED: {"item": item}}, {f"{ARGUMENTS}.delta": stray})
    assert [call.arguments_raw for call in got.outcome.tool_calls] == ["", "{}"]


def test_a_reused_index_is_another_item() -> None:
    added: list[Any] = [{ADDED: {"at": [0], "item": {"id": f"m{n}"}}} for n in (1, 2)]
    text: dict[str, Any] = {"content": [{"type": "output_text", "text": "Hi"}]}
    done: list[Any] = [{DONE: {"at": [0], "item": {"id": f"m{n}", **text}}} for n in (1, 2, 3)]
    assert drive(*added, *done, ended("completed", output=[])).outcome.text == "HiHiHi"


def test_an_item_in_the_terminal_response_alone_is_delivered() -> None:
    output: list[Any] = [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm"}]},
        {"type": "message", "id": "other", "content": [{"type": "output_text", "text": "Hi"}]},
        {"type": "message", "content": [{"type": "output_text", "text": "!"}]},
        None,
    ]
    got = drive({"text": "Hi"}, ended("completed", output=output))
    assert (got.outcome.text, got.outcome.reasoning) == ("Hi!", "Hm")
    assert "unknown_item" in got.outcome.notes


# Sequence numbers


def test_tr021_a_repeated_event_is_dropped() -> None:
    same = {DELTA: {"delta": "ha", "sequence_number": 4}}
    got = drive(*OPEN, same, same, ended("completed", output=[]))
    assert got.outcome.text == "ha"
    assert "repeated_event" in got.outcome.notes


def test_or036_a_filled_gap_is_not_missing() -> None:
    numbers = ((4, "a"), (7, "d"), (9, "f"), (8, "e"), (5, "b"), (6, "c"), (10, "g"))
    deltas = ({DELTA: {"delta": text, "sequence_number": n}} for n, text in numbers)
    got = drive(*OPEN, *deltas, ended("completed", output=[]))
    assert (got.outcome.text, got.outcome.ending) == ("adfebcg", "complete")


def test_or036_missing_events_are_an_error() -> None:
    numbers = (4, 6, 9)
    deltas = ({DELTA: {"delta": str(n), "sequence_number": n}} for n in numbers)
    got = drive(*OPEN, *deltas, COMPLETED)
    assert got.error == ("truncated", None, True)
    assert got.outcome.error is not None
    assert "5, 7 to 8" in got.outcome.error.message
    assert isinstance(got.raised, StreamError)


@pytest.mark.parametrize("number", [0, None, "$absent", "seven"])
def test_constant_sequence_numbers_drop_no_event(number: Any) -> None:
    fixed = {"sequence_number": number}
    entries = [{word: fixed} for word in (*START, *OPEN)]
    deltas = ({DELTA: {"delta": text, **fixed}} for text in ("ha", "ha"))
    response = script(
        composed(*entries, *deltas, {"response.completed": {**fixed, "response": {"output": []}}})
    )
    assert drive_script(response).outcome.text == "haha"


# Tools other than functions


def test_hosted_tools_are_kept_in_order_and_are_not_tool_calls() -> None:
    got = drive(
        {"text": "a"},
        {ADDED: {"item": {"type": "web_search_call"}}},
        DONE,
        {"text": "b"},
        COMPLETED,
    )
    assert [part.kind for part in got.outcome.content] == ["text", "server_tool", "text"]
    [tool] = [part for part in got.outcome.content if isinstance(part, ServerTool)]
    assert (tool.name, tool.id, tool.data["status"]) == ("web_search_call", "ws_2", "completed")
    assert got.outcome.finish == "stop"


def test_a_program_of_a_truncated_stream_is_kept() -> None:
    code = {"response.code_interpreter_call_code.delta": "import"}
    got = drive({ADDED: {"item": {"type": "code_interpreter_call"}}}, code)
    [tool] = got.outcome.content
    assert isinstance(tool, ServerTool)
    assert tool.data["code"] == "import"
    stray = drive(
        {"response.mcp_call_arguments.delta": {"at": [0], "item_id": "mcp_1", "delta": "{"}}
    )
    assert stray.outcome.content == (
        ServerTool(name="mcp_call", id="mcp_1", data={"arguments": "{"}),
    )


def test_an_image_replaces_its_partial_images() -> None:
    image = {ADDED: {"item": {"type": "image_generation_call"}}}
    sketch = {"response.image_generation_call.partial_image": {"partial_image_b64": "cw=="}}
    done = {DONE: {"item": {"result": "cA==", "output_format": "svg"}}}
    nothing = {"response.image_generation_call.partial_image": {"partial_image_b64": None}}
    [media] = drive(image, sketch, nothing, done, COMPLETED).outcome.content
    assert media == Media(media_type="image/svg+xml", data="cA==")
    assert drive(image, sketch).outcome.content == (Media(data="cw=="),)
    assert drive(image).outcome.content == ()
    assert drive(image, sketch, DONE, COMPLETED).outcome.content == (Media(data="cw=="),)
    [failed] = drive(image, {DONE: {"item": {"status": "failed"}}}, COMPLETED).outcome.content
    assert failed.kind == "server_tool"


def test_a_shell_call_is_a_tool_call_unless_a_container_runs_it() -> None:
    mine = {"type": "shell_call", "call_id": "c1", "action": {"commands": []}}
    done = {DONE: {"item": {"action": {"commands": ["ls"]}}}}
    got = drive({ADDED: {"item": mine}}, done, COMPLETED)
    assert (got.call.name, got.call.arguments) == ("shell", {"action": {"commands": ["ls"]}})
    theirs = {**mine, "environment": {"type": "container_reference", "container_id": "c"}}
    assert drive({ADDED: {"item": theirs}}, done, COMPLETED).outcome.tool_calls == ()


# Unusual events


def test_unusual_objects_raise_nothing() -> None:
    got = drive(
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
    assert got.outcome.text == "Hi"
    assert got.outcome.finish == "stop"
    assert set(got.interface.diagnostics.unknown) == {
        "item: None",
        "event: list",
        "event: NoneType",
        "event: ResponseAudioDeltaEvent",
        "event: ping",
        "part: smell",
    }


def test_an_unknown_item_is_kept_unchanged() -> None:
    item = {"type": "hologram", "id": "h_1", "call_id": ["odd"], "beams": 3}
    got = drive({ADDED: {"item": item}}, DONE, {"text": "Hi"}, COMPLETED)
    [hologram, text] = got.outcome.content
    assert isinstance(hologram, ServerTool)
    assert (hologram.name, hologram.id, hologram.data["beams"]) == ("hologram", "h_1", 3)
    assert text == Text(text="Hi")
    assert got.outcome.notes == ("unknown_item: hologram",)


def test_or034_the_sdks_class_of_an_unknown_event_is_ignored() -> None:
    unknown = {"event": {"data": {"type": "response.new.delta", "delta": "zzz"}}}
    got = drive(*OPEN, {DELTA: "Hi"}, unknown, "keepalive", DONE, COMPLETED)
    assert got.outcome.text == "Hi"
    assert got.outcome.notes == ("unknown_event: response.new.delta",)
