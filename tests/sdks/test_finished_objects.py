"""The SDKs' finished objects as parts: nothing lost and nothing invented, whatever is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anthropic.types
import openai.types.chat
import openai.types.responses
import pytest
from google.genai import types as gemini

from harness.model import Media, Reasoning, Refusal, ServerTool, Text, ToolCall, Usage
from harness.sdks.anthropic import messages
from harness.sdks.anthropic.messages import read_message
from harness.sdks.google_genai import generate_content
from harness.sdks.google_genai.generate_content import function_call, read_parts
from harness.sdks.openai import chat, responses
from harness.sdks.openai.chat import read_completion
from harness.sdks.openai.responses import read_response
from harness.sdks.result import tool_call, usage_from

if TYPE_CHECKING:
    from harness.model import JSON


# SDKs build their objects without validation, from whatever came over the wire.
Response: Any = openai.types.responses.Response
ChatCompletion: Any = openai.types.chat.ChatCompletion
Message: Any = anthropic.types.Message


def response(*output: JSON, status: str = "completed", **fields: JSON) -> Any:
    known = {"id": "resp_1", "model": "gpt-5-mini", "status": status, "output": list(output)}
    return Response.construct(**known, **fields)


def message(*content: JSON, stop_reason: str | None) -> Any:
    return Message.construct(id="msg_1", content=list(content), stop_reason=stop_reason)


def weather(**fields: JSON) -> JSON:
    call = {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": "{}"}
    return {**call, **fields}


@pytest.mark.parametrize(
    ("text", "arguments"),
    [('{"a": 1}', {"a": 1}), ("{}", {}), ("", None), ("[1]", None), ('{"a', None)],
)
def test_a_call_is_complete_if_its_text_is_one_object(
    text: str, arguments: dict[str, int] | None
) -> None:
    call = tool_call("call_1", "f", text)
    assert (call.arguments_raw, call.arguments) == (text, arguments)
    assert call.complete is (arguments is not None)


@pytest.mark.parametrize(
    ("status", "complete"),
    [("completed", True), (None, True), ("incomplete", False), ("in_progress", False)],
)
def test_an_unfinished_item_has_no_complete_call(status: str | None, complete: bool) -> None:  # noqa: FBT001 - a table's column
    [call] = read_response(response(weather(status=status))).content
    assert call == tool_call("call_1", "weather", "{}", finished=complete)


def test_a_response_keeps_its_items_in_order() -> None:
    cited = {"type": "url_citation", "url": "https://example.com"}
    final = read_response(
        response(
            {"type": "reasoning", "summary": [{"text": "H"}, {"text": "m"}]},
            {"type": "web_search_call", "id": "ws_1", "status": "completed"},
            {
                "type": "message",
                "content": [
                    {"type": "output_text", "text": "Hi", "annotations": [cited]},
                    {"type": "refusal", "refusal": "No"},
                ],
            },
        )
    )
    reasoning, search, text, refusal = final.content
    assert reasoning == Reasoning(text="Hm")
    assert isinstance(search, ServerTool)
    assert (search.name, search.id) == ("web_search_call", "ws_1")
    assert (text, refusal) == (Text(text="Hi", citations=(cited,)), Refusal(text="No"))
    assert (final.finish_raw, final.response_id, final.model) == (
        "completed",
        "resp_1",
        "gpt-5-mini",
    )


def test_the_reason_for_being_incomplete_is_the_finish_word() -> None:
    cut = response(status="incomplete", incomplete_details={"reason": "content_filter"})
    assert read_response(cut).finish_raw == "content_filter"
    assert read_response(response(status="incomplete")).finish_raw == "incomplete"


def test_a_completion_without_choices_is_empty() -> None:
    empty = ChatCompletion.construct(id="c", choices=[])
    assert read_completion(empty).content == ()
    assert read_completion(empty).finish_raw is None


def test_a_completion_cut_by_length_has_no_complete_call() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    for finish, complete in (("tool_calls", True), ("stop", True), ("length", False)):
        choice = {"finish_reason": finish, "message": {"content": None, "tool_calls": [call]}}
        completion = ChatCompletion.construct(id="c", choices=[choice])
        assert read_completion(completion).content == (
            tool_call("call_1", "f", "{}", finished=complete),
        )


def test_only_the_last_call_of_a_cut_message_is_incomplete() -> None:
    blocks = [{"type": "tool_use", "id": f"t{n}", "name": "f", "input": {"n": n}} for n in (0, 1)]
    for stop_reason, complete in (
        ("tool_use", [True, True]),
        ("max_tokens", [True, False]),
        (None, [True, False]),
    ):
        content = read_message(message(*blocks, stop_reason=stop_reason), {}).content
        assert [part.complete for part in content if part.kind == "tool_call"] == complete


def test_streamed_arguments_count_only_if_they_equal_the_final_ones() -> None:
    block = {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}
    for streamed, kept in (('{"a": 1}', '{"a": 1}'), ('{"a": 1, "b', '{"a":1}')):
        [call] = read_message(message(block, stop_reason="tool_use"), {0: streamed}).content
        assert call == tool_call("t", "f", kept)


def test_a_call_without_input_deltas_has_empty_arguments() -> None:
    block = {"type": "tool_use", "id": "t", "name": "now", "input": {}}
    [call] = read_message(message(block, stop_reason="tool_use"), {0: ""}).content
    assert isinstance(call, ToolCall)
    assert (call.arguments_raw, call.arguments, call.complete) == ("", {}, True)


def test_empty_blocks_are_left_out_and_server_tools_are_not_calls() -> None:
    search = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"q": "x"}}
    found = {"type": "web_search_tool_result", "tool_use_id": "s", "content": []}
    blocks = ({"type": "text", "text": ""}, search, found)
    assert read_message(message(*blocks, stop_reason="end_turn"), {}).content == (
        ServerTool(name="web_search", id="s", data={"q": "x"}),
        ServerTool(name="web_search_tool_result", id="s", data=found),
    )


def test_gemini_bytes_are_base64_as_on_the_wire() -> None:
    image = gemini.Blob(mime_type="image/png", data=b"\x00\x01")
    code = gemini.ExecutableCode(code="1+1", language=gemini.Language.PYTHON)
    parts = read_parts(
        [
            gemini.Part(text="Hm", thought=True, thought_signature=b"sig"),
            gemini.Part(text=""),
            gemini.Part(text="", thought_signature=b"sig"),
            gemini.Part(inline_data=image),
            gemini.Part(executable_code=code),
        ]
    )
    assert parts[:3] == (
        Reasoning(text="Hm", signature="c2ln"),
        Text(text="", signature="c2ln"),
        Media(media_type="image/png", data="AAE="),
    )
    assert isinstance(parts[3], ServerTool)
    assert parts[3].name == "executable_code"


def test_a_gemini_call_without_arguments_or_to_be_continued_is_incomplete() -> None:
    assert function_call(gemini.FunctionCall(name="f", args={})).complete
    assert not function_call(gemini.FunctionCall(name="f")).complete
    assert not function_call(gemini.FunctionCall(name="f", args={}, will_continue=True)).complete


@pytest.mark.parametrize(
    ("module", "reports", "usage"),
    [
        (
            messages,
            [
                {"input_tokens": 10, "cache_read_input_tokens": 3, "output_tokens": 1},
                {"cache_creation_input_tokens": 2, "output_tokens": 5},
            ],
            Usage(input=15, cached=3, cache_write=2, output=5, total=20),
        ),
        (
            generate_content,
            [
                {
                    "prompt_token_count": 10,
                    "tool_use_prompt_token_count": 4,
                    "candidates_token_count": 3,
                    "thoughts_token_count": 2,
                    "total_token_count": 19,
                }
            ],
            Usage(input=14, output=5, reasoning=2, total=19),
        ),
        (chat, [None], None),
        (responses, [{"input_tokens": 0}], Usage(input=0)),
    ],
)
def test_usage_is_converted_to_our_meaning(
    module: Any, reports: list[object], usage: Usage | None
) -> None:
    assert usage_from(module.USAGE_TABLE, *reports) == usage
