"""The body of a response that is not streamed is the object that the provider's SDK defines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from anthropic.types import Message as AnthropicMessage
from google.genai.types import GenerateContentResponse
from openai.types.chat import ChatCompletion
from openai.types.responses import Response

from harness.model import Reasoning, Refusal, Text, ToolCall, Usage
from harness.protocols import NAMES, protocol
from harness.protocols.message import Message

if TYPE_CHECKING:
    from pydantic import BaseModel

CALL = ToolCall(
    id="call_1", name="look", arguments_raw='{"a": 1}', arguments={"a": 1}, complete=True
)
MESSAGE = Message(
    (Reasoning(text="Hm"), Text(text="Yes"), Refusal(text="No"), CALL),
    finish="tool_calls",
    usage=Usage(input=7, cached=2, cache_write=0, output=5, reasoning=1, total=12),
)
OBJECTS: dict[str, type[BaseModel]] = {
    "openai_responses": Response,
    "openai_chat": ChatCompletion,
    "anthropic_messages": AnthropicMessage,
    "gemini_generate": GenerateContentResponse,
}
# Fields that the documents name.
SAYS = {
    "openai_responses": {"status": "completed", "object": "response"},
    "openai_chat": {"object": "chat.completion"},
    "anthropic_messages": {"type": "message", "stop_reason": "tool_use"},
    "gemini_generate": {"modelVersion": "test-model"},
}


@pytest.mark.parametrize("name", NAMES)
def test_a_response_body_is_the_object_of_the_sdk(name: str) -> None:
    body = protocol(name).response_body(MESSAGE)
    found = OBJECTS[name].model_validate(body)
    assert body.items() >= SAYS[name].items()
    assert not found.model_dump(exclude_unset=True).keys() - OBJECTS[name].model_fields.keys()


def test_a_chat_completion() -> None:
    [choice] = protocol("openai_chat").response_body(MESSAGE)["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"] == {
        "role": "assistant",
        "content": "Yes",
        "refusal": "No",
        "reasoning_content": "Hm",
        "tool_calls": [
            {
                "id": "call_1",
                "type": "function",
                "function": {"name": "look", "arguments": '{"a": 1}'},
            }
        ],
    }


def test_an_anthropic_message() -> None:
    body = protocol("anthropic_messages").response_body(MESSAGE)
    assert [block["type"] for block in body["content"]] == ["thinking", "text", "text", "tool_use"]
    assert body["content"][-1]["input"] == {"a": 1}
    assert body["usage"]["input_tokens"] == 5  # the cache is counted beside it


def test_a_gemini_response() -> None:
    [candidate] = protocol("gemini_generate").response_body(MESSAGE)["candidates"]
    assert candidate["finishReason"] == "STOP"
    assert candidate["content"]["parts"] == [
        {"text": "Hm", "thought": True},
        {"text": "Yes"},
        {"text": "No"},
        {"functionCall": {"id": "call_1", "name": "look", "args": {"a": 1}}},
    ]


def test_a_response() -> None:
    output = protocol("openai_responses").response_body(MESSAGE)["output"]
    assert [item["type"] for item in output] == ["reasoning", "message", "function_call"]
    assert [part["type"] for part in output[1]["content"]] == ["output_text", "refusal"]
    assert output[2]["arguments"] == '{"a": 1}'
