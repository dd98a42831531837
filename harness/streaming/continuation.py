"""Whether an agent takes another step, and if not, the stop reason of the run.

Rules of this file: only complete calls run, so a step with a cut call runs none of its calls; an
answer that failed or was truncated never ends a run as ``end_turn``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from harness.model import Ending, FinishReason, Outcome
    from harness.streaming.serving.runs.statuses import StopReason


# Endings of a stream that never yield an answer.
_WITHOUT_ANSWER: Mapping[Ending, StopReason] = {
    "cancelled": "cancelled",
    "failed": "llm_api_error",
    "truncated": "llm_api_error",
}

# What an answer without calls means. None: the provider expects the same request again,
# https://docs.claude.com/en/api/handling-stop-reasons (pause_turn).
_WITHOUT_CALLS: Mapping[FinishReason, StopReason | None] = {
    "stop": "end_turn",
    "refusal": "end_turn",  # it is an answer; the outcome shows that it refuses
    "length": "max_tokens_exceeded",
    "pause": None,
    "tool_calls": "no_tool_call",
    "content_filter": "invalid_llm_response",
    "error": "llm_api_error",
    "cancelled": "cancelled",
    "unknown": "invalid_llm_response",
}


def stop_reason_after(outcome: Outcome, uncalled: Collection[str] = ()) -> StopReason | None:
    """Return why the run ends after a step, or None where another step follows.

    Args:
        outcome: what the step delivered.
        uncalled: tools that a rule requires and that no step of this run has called yet.
    """
    if outcome.ending in _WITHOUT_ANSWER:
        return _WITHOUT_ANSWER[outcome.ending]
    if any(not call.complete for call in outcome.tool_calls):
        cut = outcome.finish == "length"
        return "max_tokens_exceeded" if cut else "invalid_tool_call"
    if any(call.approval for call in outcome.tool_calls):
        return "requires_approval"
    if outcome.tool_calls or uncalled:
        return None
    return _WITHOUT_CALLS[outcome.finish]
