"""Why a run stopped, in the words OpenAI has for it.

https://developers.openai.com/api/reference/resources/chat/subresources/completions/streaming-events
(choices, finish_reason)

Rule of this file: every stop reason and every finish reason has its row. None says that no finish
reason would be true: the run failed, and OpenAI tells of that with an error object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Word: TypeAlias = Literal["stop", "length", "tool_calls", "content_filter"]

# Of the four words only `length` says that the answer is not whole, so it stands for everything
# that was cut short without a fault.
WORD_OF_STOP: Mapping[str, Word | None] = {
    "end_turn": "stop",
    "tool_rule": "stop",
    "requires_approval": "tool_calls",
    "max_steps": "length",
    "max_tokens_exceeded": "length",
    "cancelled": "length",
    "error": None,
    "llm_api_error": None,
    "invalid_llm_response": None,
    "invalid_tool_call": None,
    "no_tool_call": None,
    "insufficient_credits": None,
    "context_window_overflow_in_system_prompt": None,
}

# Where the run says no more than that it stopped, its last step may know better. A refusal that was
# not in words is the doing of a filter: https://docs.claude.com/en/api/handling-stop-reasons
WORD_OF_FINISH: Mapping[str, Word | None] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "refusal": "content_filter",
    "pause": "length",
    "error": None,
    "cancelled": "length",
    "unknown": None,
}


def word_of(stop_reason: str, finish: str) -> Word | None:
    """Return OpenAI's word for why a run stopped; None where it failed, or nobody knows.

    Args:
        stop_reason: the run's.
        finish: its last step's, or nothing; it refines a plain stop and nothing else.
    """
    word = WORD_OF_STOP.get(stop_reason)
    return WORD_OF_FINISH.get(finish) if finish and word == "stop" else word
