"""Whether an agent goes on after a step, and if not, for which stop reason.

Rules of this file: a call runs only if it is complete, so a step whose calls were cut runs none of
them; what did not end well never ends as ``end_turn``; the finish reasons are a table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from harness.model import Ending, FinishReason, Outcome
    from harness.streaming.serving.runs.statuses import StopReason


@dataclass(frozen=True)
class Continuation:
    """What comes after a step: another one, or the end of the run and its reason.

    ``stop_reason`` is None exactly where the agent goes on.
    """

    stop_reason: StopReason | None = None

    @property
    def goes_on(self) -> bool:
        """Whether another step follows."""
        return self.stop_reason is None


GO_ON = Continuation()

# The ends of a stream that are no answer at all.
_BROKEN: Mapping[Ending, StopReason] = {
    "cancelled": "cancelled",
    "failed": "llm_api_error",
    "truncated": "llm_api_error",
}

# What an answer without any call means. None: the provider wants to be asked again as things are,
# https://docs.claude.com/en/api/handling-stop-reasons (pause_turn).
_WITHOUT_CALLS: Mapping[FinishReason, StopReason | None] = {
    "stop": "end_turn",
    "refusal": "end_turn",  # it is the model's answer, and the outcome tells it from others
    "length": "max_tokens_exceeded",
    "pause": None,
    "tool_calls": "no_tool_call",
    "content_filter": "invalid_llm_response",
    "error": "llm_api_error",
    "cancelled": "cancelled",
    "unknown": "invalid_llm_response",
}


def continuation(outcome: Outcome, uncalled: Collection[str] = ()) -> Continuation:
    """Say what comes after a step.

    Args:
        outcome: what the step delivered.
        uncalled: tools that a rule requires and no step of this run has called yet.
    """
    if outcome.ending in _BROKEN:
        return Continuation(_BROKEN[outcome.ending])
    if any(not call.complete for call in outcome.tool_calls):
        cut = outcome.finish == "length"
        return Continuation("max_tokens_exceeded" if cut else "invalid_tool_call")
    if any(call.approval for call in outcome.tool_calls):
        return Continuation("requires_approval")
    if outcome.tool_calls or uncalled:
        return GO_ON
    return Continuation(_WITHOUT_CALLS[outcome.finish])
