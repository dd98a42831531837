"""Streams of every protocol, in the shorthand of scenarios, as the providers document them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model import JSON

CITY, SUM = '{"city": "Łódź"}', '{"a": 1}'
MESSAGE_START: JSON = {
    "message_start": {"message": {"usage": {"input_tokens": 10, "output_tokens": 1}}}
}

# "Hel" and "lo", ten tokens in, five out.
TEXT: Mapping[str, list[JSON]] = {
    "openai_responses": ["response.created", {"text": ["Hel", "lo"]}, "response.completed"],
    "openai_chat": [
        "role",
        {"content": "Hel"},
        {"content": "lo"},
        {"finish": "stop"},
        {"usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}},
        "done",
    ],
    "anthropic_messages": [
        MESSAGE_START,
        {"content_block_start": {"at": [0]}},
        {"text_delta": {"at": [0], "text": "Hel"}},
        {"text_delta": {"at": [0], "text": "lo"}},
        {"content_block_stop": {"at": [0]}},
        "message_delta",
        "message_stop",
    ],
    "gemini_generate": [
        {"text": "Hel"},
        {
            "text": {
                "text": "lo",
                "finishReason": "STOP",
                "usageMetadata": {
                    "promptTokenCount": 10,
                    "candidatesTokenCount": 3,
                    "thoughtsTokenCount": 2,
                    "totalTokenCount": 15,
                },
            }
        },
    ],
}

# Two calls, the first one in two fragments.
CALLS: Mapping[str, list[JSON]] = {
    "openai_responses": [
        "response.created",
        {"call": {"call_id": "call_1", "name": "weather", "arguments": ['{"city": ', '"Łódź"}']}},
        {"call": {"call_id": "call_2", "name": "add", "arguments": SUM}},
        "response.completed",
    ],
    "openai_chat": [
        "role",
        {"tool_call": {"at": [0], "id": "call_1", "name": "weather", "arguments": ""}},
        {"tool_call": {"at": [0], "arguments": '{"city": '}},
        {"tool_call": {"at": [0], "arguments": '"Łódź"}'}},
        {"tool_call": {"at": [1], "id": "call_2", "name": "add", "arguments": SUM}},
        {"finish": "tool_calls"},
        "done",
    ],
    "anthropic_messages": [
        MESSAGE_START,
        {
            "content_block_start": {
                "at": [0],
                "content_block": {"type": "tool_use", "id": "call_1", "name": "weather"},
            }
        },
        {"input_json_delta": {"at": [0], "partial_json": '{"city": '}},
        {"input_json_delta": {"at": [0], "partial_json": '"Łódź"}'}},
        {"content_block_stop": {"at": [0]}},
        {
            "content_block_start": {
                "at": [1],
                "content_block": {"type": "tool_use", "id": "call_2", "name": "add"},
            }
        },
        {"input_json_delta": {"at": [1], "partial_json": SUM}},
        {"content_block_stop": {"at": [1]}},
        {"message_delta": {"delta": {"stop_reason": "tool_use"}}},
        "message_stop",
    ],
    "gemini_generate": [
        {"function_call": {"id": "call_1", "name": "weather", "args": {"city": "Łódź"}}},
        {
            "function_call": {
                "id": "call_2",
                "name": "add",
                "args": {"a": 1},
                "finishReason": "STOP",
            }
        },
    ],
}

# "Hel", then the provider's finish word for the output limit.
LENGTH: Mapping[str, list[JSON]] = {
    "openai_responses": ["response.created", {"text": "Hel"}, "response.incomplete"],
    "openai_chat": ["role", {"content": "Hel"}, {"finish": "length"}, "done"],
    "anthropic_messages": [
        MESSAGE_START,
        {"content_block_start": {"at": [0]}},
        {"text_delta": {"at": [0], "text": "Hel"}},
        {"content_block_stop": {"at": [0]}},
        {"message_delta": {"delta": {"stop_reason": "max_tokens"}}},
        "message_stop",
    ],
    "gemini_generate": [{"text": {"text": "Hel", "finishReason": "MAX_TOKENS"}}],
}


# The body of a 429.
REFUSED: Mapping[str, JSON] = {
    "openai_responses": {"error": {"code": "rate_limit_exceeded", "message": "Slow down"}},
    "openai_chat": {"error": {"code": "rate_limit_exceeded", "message": "Slow down"}},
    "anthropic_messages": {
        "type": "error",
        "error": {"type": "rate_limit_error", "message": "Slow down"},
    },
    "gemini_generate": {
        "error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Slow down"}
    },
}
