"""Units contain each scenario run once, and results are passed on in the order of the job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.engine.work_units import UNITS_PER_WORKER, UnitResult, WorkUnit, in_order, split
from harness.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence


def result(position: int) -> UnitResult:
    return UnitResult(position, Outcome(), (), 0.0)


def batches_of(
    some: Iterable[Sequence[int]], closed: list[str]
) -> Generator[Sequence[UnitResult], Any]:
    """Tell places a few at a time; a place below 0 is a Ctrl-C."""
    try:
        for positions in some:
            if min(positions) < 0:
                raise KeyboardInterrupt
            yield [result(position) for position in positions]
    finally:
        closed.append("closed")


def position_of(result: UnitResult) -> int:
    return result.position


@pytest.mark.parametrize("pairs", [0, 1, 2, 17, 100])
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_units_are_the_job_in_pieces(pairs: int, workers: int) -> None:
    whole: Any = tuple(range(pairs))
    cut = split(WorkUnit(0, whole, 1.0), workers)
    assert len(cut) <= workers * UNITS_PER_WORKER
    assert len(cut) >= min(pairs, workers)
    assert [
        (position, pair) for unit in cut for position, pair in enumerate(unit.runs, unit.first)
    ] == [(pair, pair) for pair in whole]


def test_results_out_of_order_wait_for_their_turn() -> None:
    emitted = in_order(batches_of([[2, 3], [0], [1]], []), position_of)
    assert list(emitted) == [0, 1, 2, 3]


def test_something_can_be_yielded_after_each_batch() -> None:
    batches = batches_of([[1], [0]], [])
    assert list(in_order(batches, position_of, lambda: -1)) == [-1, 0, 1, -1]


def test_an_interrupt_is_passed_on_after_the_results_out_of_order() -> None:
    closed: list[str] = []
    emitted = in_order(batches_of([[4, 5], [0], [2], [-1]], closed), position_of)
    assert [next(emitted) for _ in range(4)] == [0, 2, 4, 5]
    assert closed == ["closed"]
    with pytest.raises(KeyboardInterrupt):
        next(emitted)


def test_an_interrupt_thrown_in_closes_and_loses_no_result() -> None:
    closed: list[str] = []
    emitted = in_order(batches_of([[0, 1, 2], [3]], closed), position_of)
    assert next(emitted) == 0
    assert emitted.throw(KeyboardInterrupt()) == 1
    assert closed == ["closed"]
    assert next(emitted) == 2
    with pytest.raises(KeyboardInterrupt):
        next(emitted)
