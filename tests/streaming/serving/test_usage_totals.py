"""The usage of a run of which one step was cancelled."""

from __future__ import annotations

from harness.model import Outcome, Usage
from harness.streaming.serving.run_end import UsageTotals

COUNTED = Outcome(finish="stop", ending="complete", usage=Usage(input=3, output=2, total=5))


def test_a_step_cancelled_before_its_usage_makes_the_total_partial() -> None:
    """CA-021: a run whose second step had not reported its usage."""
    totals = UsageTotals()
    totals.add_outcome("step-0", COUNTED)
    assert not totals.partial
    totals.add_outcome("step-1", Outcome(finish="cancelled", ending="cancelled"))
    assert totals.partial
    assert totals.usage == COUNTED.usage


def test_a_step_cancelled_after_its_last_usage_is_not_partial() -> None:
    totals = UsageTotals()
    cancelled = {"finish": "cancelled", "ending": "cancelled"}
    totals.add_outcome("step-0", COUNTED.model_copy(update=cancelled))
    assert not totals.partial
