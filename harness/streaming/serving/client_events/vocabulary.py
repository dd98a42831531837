"""The vocabulary of client events: message types, usage fields and errors.

Rule of this file: every chunk kind and error kind of ``harness.model`` has its row, so a new one
fails a test instead of falling through to a default. The message types and error types are those
that Letta's clients know, so these clients need no change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model import ChunkKind, ErrorInfo, ErrorKind
    from harness.streaming.serving.runs.statuses import StopReason

STOP_REASON = "stop_reason"
USAGE = "usage_statistics"
ERROR = "error_message"
PING = "ping"

# The chunks that are parts of a message; a refusal is text for the reader, and is marked.
MESSAGE_TYPES: Mapping[ChunkKind, str] = {
    "text": "assistant_message",
    "refusal": "assistant_message",
    "reasoning": "reasoning_message",
    "redacted_reasoning": "hidden_reasoning_message",
    "tool_call": "tool_call_message",
    "approval_request": "approval_request_message",
}

# Field of Usage -> field of a usage_statistics event; null is not reported, 0 reported zero.
USAGE_FIELDS: Mapping[str, str] = {
    "input": "prompt_tokens",
    "output": "completion_tokens",
    "total": "total_tokens",
    "cached": "cached_input_tokens",
    "cache_write": "cache_write_tokens",
    "reasoning": "reasoning_tokens",
}


class Failure(NamedTuple):
    """How a client sees an error: type and sentence of the error event, and the stop reason."""

    error_type: str
    stop_reason: StopReason
    message: str


def _llm(message: str, error_type: str = "llm_error") -> Failure:
    return Failure(error_type, "llm_api_error", message)


# Errors of the model: one row per error kind, so that none is taken for an internal error.
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
    """Return how a client sees an error.

    Args:
        info: the model's error; None for an internal error.
    """
    return INTERNAL if info is None else FAILURES[info.kind]
