"""When an agent takes another step, and that a cut call never runs (TR-013)."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model import Ending, FinishReason, Outcome, Text, ToolCall
from harness.streaming.continuation import stop_reason_after
from harness.streaming.serving.runs.statuses import status_of

if TYPE_CHECKING:
    from harness.streaming.serving.runs.statuses import StopReason

COMPLETE = ToolCall(id="c", name="get", arguments_raw="{}", arguments={}, complete=True)
CUT = ToolCall(id="c", name="get", arguments_raw='{"a', arguments=None, complete=False)
NEEDS_APPROVAL = COMPLETE.model_copy(update={"approval": True})


def answer(finish: FinishReason, ending: Ending, *calls: ToolCall) -> Outcome:
    return Outcome(content=(Text(text="Hi"), *calls), finish=finish, ending=ending)


@pytest.mark.parametrize(
    ("outcome", "stop_reason"),
    [
        (answer("stop", "complete"), "end_turn"),
        (answer("refusal", "complete"), "end_turn"),
        (answer("length", "incomplete"), "max_tokens_exceeded"),  # D20
        (answer("content_filter", "incomplete"), "invalid_llm_response"),  # D42
        (answer("unknown", "complete"), "invalid_llm_response"),
        (answer("tool_calls", "complete"), "no_tool_call"),
        (answer("pause", "incomplete"), None),  # D5
        (answer("tool_calls", "complete", COMPLETE), None),
        (answer("tool_calls", "complete", COMPLETE, NEEDS_APPROVAL), "requires_approval"),
        (answer("length", "incomplete", CUT), "max_tokens_exceeded"),  # D6, D28
        (answer("length", "incomplete", COMPLETE, CUT), "max_tokens_exceeded"),
        (answer("tool_calls", "complete", CUT), "invalid_tool_call"),
        (answer("cancelled", "cancelled", COMPLETE), "cancelled"),  # CA-005, CA-006
        (answer("error", "failed"), "llm_api_error"),
        (answer("unknown", "truncated", COMPLETE), "llm_api_error"),
    ],
)
def test_stop_reason_after_each_outcome(outcome: Outcome, stop_reason: StopReason) -> None:
    assert stop_reason_after(outcome) == stop_reason


def test_the_run_goes_on_until_every_required_tool_was_called() -> None:
    assert stop_reason_after(answer("stop", "complete"), {"remember"}) is None
    assert stop_reason_after(answer("stop", "complete"), set()) == "end_turn"


OUTCOMES = st.builds(
    Outcome,
    content=st.lists(st.sampled_from([COMPLETE, CUT, NEEDS_APPROVAL, Text(text="Hi")])).map(tuple),
    finish=st.sampled_from(get_args(FinishReason)),
    ending=st.sampled_from(get_args(Ending)),
)


@given(OUTCOMES, st.sets(st.sampled_from(["a", "b"])))
def test_a_broken_answer_never_completes_a_run_and_never_runs_a_tool(
    outcome: Outcome, uncalled: set[str]
) -> None:
    stop_reason = stop_reason_after(outcome, uncalled)
    broken = outcome.ending in {"failed", "truncated", "cancelled"} or CUT in outcome.content
    if broken:
        assert stop_reason is not None
        assert status_of(stop_reason) in {"failed", "cancelled"}
