"""The streams of the miniatures: a small one for each thing that can go wrong."""

from __future__ import annotations

from typing import Any

from tests.scenario_files import scenario_data


def _anthropic(*stream: Any, **changes: Any) -> dict[str, Any]:
    return scenario_data(stream=["message_start", *stream], **changes)


def _block(block: dict[str, Any], at: int, *deltas: dict[str, Any]) -> list[Any]:
    written = [{word: {"at": [at], **fields}} for delta in deltas for word, fields in delta.items()]
    start = {"content_block_start": {"at": [at], "content_block": block}}
    return [start, *written, {"content_block_stop": {"at": [at]}}]


def _call(at: int, call_id: str, name: str, *pieces: str) -> list[Any]:
    block = {"type": "tool_use", "id": call_id, "name": name}
    return _block(block, at, *({"input_json_delta": {"partial_json": p}} for p in pieces))


def _stop(reason: str, output: int = 5) -> list[Any]:
    delta = {"delta": {"stop_reason": reason}, "usage": {"output_tokens": output}}
    return [{"message_delta": delta}, "message_stop"]


_TEXT = {"type": "text"}
_HELLO = _block(_TEXT, 0, {"text_delta": {"text": "Hello"}})
_THINKING = _block(
    {"type": "thinking"},
    0,
    {"thinking_delta": {"thinking": "Let me see."}},
    {"signature_delta": {"signature": "sig_1"}},
)
_ANSWER = _block(_TEXT, 1, {"text_delta": {"text": "Hello"}}, {"text_delta": {"text": " there"}})

STREAMS: dict[str, dict[str, Any]] = {
    "counted": _anthropic(*_HELLO, *_stop("end_turn", 15)),
    "thinking": _anthropic(*_THINKING, *_ANSWER, *_stop("end_turn")),
    "calls": _anthropic(
        *_call(0, "toolu_1", "clock", '{"zone":', '"UTC"}'),
        *_call(1, "toolu_2", "weather", '{"city":', '"Rome"}'),
        *_stop("tool_use"),
    ),
    "cut call": _anthropic(
        *_call(0, "toolu_1", "weather", '{"city":', '"Ro'), *_stop("max_tokens")
    ),
    "new word": _anthropic(*_HELLO, *_stop("invented_tomorrow")),
    "truncated": _anthropic(*_HELLO),
    "overloaded": _anthropic("error"),
    "cut": scenario_data(
        protocol="openai_responses",
        case="OR-002",
        stream=[
            "response.created",
            "response.in_progress",
            {"text": {"says": "The three reasons are", "item": {"status": "in_progress"}}},
            "response.incomplete",
        ],
    ),
    "refusal": scenario_data(
        protocol="openai_chat",
        case="OC-029",
        stream=["role", {"refusal": "I cannot"}, {"refusal": " help."}, {"finish": "stop"}, "done"],
    ),
}
