"""What the steps of a run used, where one of them was cut."""

from __future__ import annotations

from harness.model import Outcome, Usage
from harness.streaming.serving.usage_totals import UsageTotals

COUNTED = Outcome(finish="stop", ending="complete", usage=Usage(input=3, output=2, total=5))


def test_a_step_that_was_cut_before_it_counted_makes_the_count_a_partial_one() -> None:
    """CA-021: the sweep through the stack found a run whose second step was left uncounted."""
    tally = UsageTotals()
    tally.account("step-0", COUNTED)
    assert not tally.partial
    tally.account("step-1", Outcome(finish="cancelled", ending="cancelled"))
    assert tally.partial
    assert tally.usage == COUNTED.usage


def test_a_step_that_was_left_after_its_last_count_is_counted_whole() -> None:
    tally = UsageTotals()
    left = {"finish": "cancelled", "ending": "cancelled"}
    tally.account("step-0", COUNTED.model_copy(update=left))
    assert not tally.partial
