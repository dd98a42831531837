"""The words of a run's frames, each in the one table that owns it.

Rule of this file: every chunk kind, error kind and finish reason of ``harness.model`` has its row,
so a new one fails a test instead of falling through to a default. The words themselves are those
Letta's clients know (message types, error types), so they need no change to read ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model import ChunkKind, ErrorInfo, ErrorKind, FinishReason
    from harness.streaming.serving.runs.statuses import StopReason

STOP_REASON = "stop_reason"
USAGE = "usage_statistics"
ERROR = "error_message"
PING = "ping"

# The chunks that are pieces of a message; a refusal is words for the reader, and marked as such.
MESSAGE_TYPES: Mapping[ChunkKind, str] = {
    "text": "assistant_message",
    "refusal": "assistant_message",
    "reasoning": "reasoning_message",
    "redacted_reasoning": "hidden_reasoning_message",
    "tool_call": "tool_call_message",
    "approval_request": "approval_request_message",
}

# Our usage field -> the one of a usage_statistics frame; null is not reported, 0 reported zero.
USAGE_FIELDS: Mapping[str, str] = {
    "input": "prompt_tokens",
    "output": "completion_tokens",
    "total": "total_tokens",
    "cached": "cached_input_tokens",
    "cache_write": "cache_write_tokens",
    "reasoning": "reasoning_tokens",
}


class Failure(NamedTuple):
    """How a client is told of an error: the error frame's type and sentence, the stop reason."""

    error_type: str
    stop_reason: StopReason
    message: str


def _llm(message: str, error_type: str = "llm_error") -> Failure:
    return Failure(error_type, "llm_api_error", message)


# What became of the model: one row an error kind, so that none is taken for a fault of our own.
FAILURES: Mapping[ErrorKind, Failure] = {
    "timeout": _llm("The model's provider did not answer in time.", "llm_timeout"),
    "rate_limit": _llm("The model's provider limits how much is asked of it.", "llm_rate_limit"),
    "authentication": _llm("The model's provider refused our key.", "llm_authentication"),
    "permission": _llm("The model's provider does not allow this request."),
    "not_found": _llm("The model's provider does not know what was asked for."),
    "bad_request": _llm("The model's provider cannot take this request."),
    "context_overflow": _llm("The conversation is longer than the model can read."),
    "content_policy": _llm("The model's provider refused the content."),
    "overloaded": _llm("The model's provider has too much to do at the moment."),
    "server": _llm("The model's provider failed."),
    "connection": _llm("The connection to the model's provider was lost."),
    "truncated": _llm("The model's answer broke off."),
    "protocol": _llm("The model's answer could not be understood."),
    "unknown": _llm("The model failed."),
}
INTERNAL = Failure("internal_error", "error", "Something went wrong on our side.")
STREAM_INCOMPLETE = Failure("stream_incomplete", "error", "The stream ended before the run did.")


def failure_of(info: ErrorInfo | None) -> Failure:
    """Return how a client is told of an error.

    Args:
        info: what the model's error means; None is an error that was not the model's.
    """
    return INTERNAL if info is None else FAILURES[info.kind]


# Why a run that ends with this step has stopped. Only a cut by length is a reason of its own, all
# else the model ended its turn; the frame keeps the finish reason beside it, so nothing is lost.
# An ending nobody can read is never a success.
STOP_REASON_OF: Mapping[FinishReason, StopReason] = {
    "stop": "end_turn",
    "length": "max_tokens_exceeded",
    "tool_calls": "end_turn",
    "content_filter": "end_turn",
    "refusal": "end_turn",
    "pause": "end_turn",
    "error": "llm_api_error",
    "cancelled": "cancelled",
    "unknown": "invalid_llm_response",
}
