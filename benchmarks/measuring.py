"""How benchmarks are timed: alternating, in CPU seconds, as medians."""

from __future__ import annotations

import gc
import statistics
from time import process_time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ROUNDS = 7


class Row(NamedTuple):
    """One line of the report.

    Args:
        what: what was measured.
        value: the figure.
        limit: the largest figure that is accepted.
        detail: what the figure was computed from.
    """

    what: str
    value: float
    limit: float
    detail: str

    @property
    def holds(self) -> bool:
        """Whether the value is within its limit."""
        return self.value <= self.limit

    def __str__(self) -> str:
        verdict = "holds" if self.holds else "OVER"
        return (
            f"{self.what:<44} {self.value:>8.2f}  (limit {self.limit:g}) {verdict}  {self.detail}"
        )


async def alternating(
    first: Callable[[], Awaitable[object]], second: Callable[[], Awaitable[object]]
) -> tuple[float, float, float]:
    """Time two coroutines alternately, after one warm-up each.

    Returns:
        The median CPU seconds of each, and the median of first / second pair by pair.
    """
    pairs = [(await _seconds(first), await _seconds(second)) for _ in range(ROUNDS + 1)][1:]
    ratio = statistics.median(a / b for a, b in pairs)
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs), ratio


async def _seconds(work: Callable[[], Awaitable[object]]) -> float:
    gc.collect()
    started = process_time()
    await work()
    return process_time() - started
