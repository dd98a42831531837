"""When an agent goes on: STREAMING 1e (M5), and that a cut call never runs (TR-013)."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model import Ending, FinishReason, Outcome, Text, ToolCall
from harness.streaming.continuation import continuation
from harness.streaming.serving.runs.statuses import status_of

if TYPE_CHECKING:
    from harness.streaming.serving.runs.statuses import StopReason

WHOLE = ToolCall(id="c", name="get", arguments_raw="{}", arguments={}, complete=True)
CUT = ToolCall(id="c", name="get", arguments_raw='{"a', arguments=None, complete=False)
ASKING = WHOLE.model_copy(update={"approval": True})


def said(finish: FinishReason, ending: Ending, *calls: ToolCall) -> Outcome:
    return Outcome(content=(Text(text="Hi"), *calls), finish=finish, ending=ending)


@pytest.mark.parametrize(
    ("outcome", "stop_reason"),
    [
        (said("stop", "complete"), "end_turn"),
        (said("refusal", "complete"), "end_turn"),
        (said("length", "incomplete"), "max_tokens_exceeded"),  # STREAMING 5.1, D20
        (said("content_filter", "incomplete"), "invalid_llm_response"),  # D42
        (said("unknown", "complete"), "invalid_llm_response"),  # 5.2: never equals success
        (said("tool_calls", "complete"), "no_tool_call"),
        (said("pause", "incomplete"), None),  # D5
        (said("tool_calls", "complete", WHOLE), None),
        (said("tool_calls", "complete", WHOLE, ASKING), "requires_approval"),
        (said("length", "incomplete", CUT), "max_tokens_exceeded"),  # D6, D28
        (said("length", "incomplete", WHOLE, CUT), "max_tokens_exceeded"),
        (said("tool_calls", "complete", CUT), "invalid_tool_call"),
        (said("cancelled", "cancelled", WHOLE), "cancelled"),  # CA-005, CA-006
        (said("error", "failed"), "llm_api_error"),
        (said("unknown", "truncated", WHOLE), "llm_api_error"),
    ],
)
def test_what_an_outcome_means_for_the_run(outcome: Outcome, stop_reason: StopReason) -> None:
    assert continuation(outcome).stop_reason == stop_reason


def test_a_required_tool_that_was_not_called_keeps_the_agent_going() -> None:
    assert continuation(said("stop", "complete"), {"remember"}).goes_on
    assert not continuation(said("stop", "complete"), set()).goes_on


OUTCOMES = st.builds(
    Outcome,
    content=st.lists(st.sampled_from([WHOLE, CUT, ASKING, Text(text="Hi")])).map(tuple),
    finish=st.sampled_from(get_args(FinishReason)),
    ending=st.sampled_from(get_args(Ending)),
)


@given(OUTCOMES, st.sets(st.sampled_from(["a", "b"])))
def test_a_broken_answer_never_completes_a_run_and_never_runs_a_tool(
    outcome: Outcome, uncalled: set[str]
) -> None:
    found = continuation(outcome, uncalled)
    broken = outcome.ending in {"failed", "truncated", "cancelled"} or CUT in outcome.content
    if broken:
        assert found.stop_reason is not None
        assert status_of(found.stop_reason) in {"failed", "cancelled"}
    assert found.goes_on == (found.stop_reason is None)
