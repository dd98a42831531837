"""Shares hold each pair once, and what they tell is passed on in the order of the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.engine.work_units import UNITS_PER_WORKER, UnitResult, WorkUnit, in_order, split
from harness.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence


def told(place: int) -> UnitResult:
    return UnitResult(place, Outcome(), (), 0.0)


def telling(
    some: Iterable[Sequence[int]], closed: list[str]
) -> Generator[Sequence[UnitResult], Any]:
    """Tell places a few at a time; a place below 0 is a Ctrl-C."""
    try:
        for places in some:
            if min(places) < 0:
                raise KeyboardInterrupt
            yield [told(place) for place in places]
    finally:
        closed.append("closed")


def place_of(told: UnitResult) -> int:
    return told.position


@pytest.mark.parametrize("pairs", [0, 1, 2, 17, 100])
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_units_are_the_job_in_pieces(pairs: int, workers: int) -> None:
    whole: Any = tuple(range(pairs))
    cut = split(WorkUnit(0, whole, 1.0), workers)
    assert len(cut) <= workers * UNITS_PER_WORKER
    assert len(cut) >= min(pairs, workers)
    assert [(place, pair) for unit in cut for place, pair in enumerate(unit.runs, unit.first)] == [
        (pair, pair) for pair in whole
    ]


def test_results_out_of_order_wait_for_their_turn() -> None:
    said = in_order(telling([[2, 3], [0], [1]], []), place_of)
    assert list(said) == [0, 1, 2, 3]


def test_something_can_be_yielded_after_each_batch() -> None:
    batches = telling([[1], [0]], [])
    assert list(in_order(batches, place_of, lambda: -1)) == [-1, 0, 1, -1]


def test_an_interrupt_is_passed_on_after_the_results_out_of_order() -> None:
    closed: list[str] = []
    said = in_order(telling([[4, 5], [0], [2], [-1]], closed), place_of)
    assert [next(said) for _ in range(4)] == [0, 2, 4, 5]
    assert closed == ["closed"]
    with pytest.raises(KeyboardInterrupt):
        next(said)


def test_an_interrupt_thrown_in_closes_and_loses_no_result() -> None:
    closed: list[str] = []
    said = in_order(telling([[0, 1, 2], [3]], closed), place_of)
    assert next(said) == 0
    assert said.throw(KeyboardInterrupt()) == 1
    assert closed == ["closed"]
    assert next(said) == 2
    with pytest.raises(KeyboardInterrupt):
        next(said)
