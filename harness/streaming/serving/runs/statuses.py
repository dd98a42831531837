"""The statuses and stop reasons of a run, and the status that follows from each stop reason.

Rule of this file: every stop reason is in the table. An unknown one is refused, because any default
would be wrong: `completed` hides a failure (defects D74, D75), `failed` invents one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from harness.errors import UnknownWordError

if TYPE_CHECKING:
    from collections.abc import Mapping

RunStatus: TypeAlias = Literal["created", "running", "completed", "failed", "cancelled"]
StopReason: TypeAlias = Literal[
    "end_turn", "max_steps", "tool_rule", "requires_approval", "cancelled", "error",
    "llm_api_error", "invalid_llm_response", "invalid_tool_call", "no_tool_call",
    "max_tokens_exceeded", "insufficient_credits", "context_window_overflow_in_system_prompt",
]  # fmt: skip

STATUS_OF: Mapping[StopReason, RunStatus] = {
    "end_turn": "completed",
    "max_steps": "completed",
    "tool_rule": "completed",
    "requires_approval": "completed",
    "cancelled": "cancelled",
    "error": "failed",
    "llm_api_error": "failed",
    "invalid_llm_response": "failed",
    "invalid_tool_call": "failed",
    "no_tool_call": "failed",
    "max_tokens_exceeded": "failed",
    "insufficient_credits": "failed",
    "context_window_overflow_in_system_prompt": "failed",
}
TERMINAL: frozenset[RunStatus] = frozenset(STATUS_OF.values())


def status_of(stop_reason: StopReason) -> RunStatus:
    """Return the status of a run that ended with a stop reason.

    Raises:
        UnknownWordError: the stop reason is unknown.
    """
    if stop_reason not in STATUS_OF:
        raise UnknownWordError("stop reason", stop_reason, STATUS_OF)
    return STATUS_OF[stop_reason]
