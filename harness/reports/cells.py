"""The matrix that every report shows: how many scenarios of a topic pass for a target."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.engine.results import ScenarioResult


class Cells:
    """Counts of one run: protocol/topic -> target -> failed or not."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, Counter[bool]]] = defaultdict(dict)

    def __bool__(self) -> bool:
        return bool(self._rows)

    def add(self, result: ScenarioResult) -> None:
        """Count the result of one scenario on one target."""
        row = f"{result.scenario.protocol}/{result.scenario.topic}"
        self._rows[row].setdefault(result.target, Counter())[result.failed] += 1

    def rows(self, targets: tuple[str, ...]) -> Iterator[tuple[str, list[Counter[bool]]]]:
        """Yield each row with its counts per target, by name, and last the sum of all."""
        sums = [Counter[bool]() for _ in targets]
        for name in sorted(self._rows):
            counts = [self._rows[name].get(target, Counter()) for target in targets]
            for total, count in zip(sums, counts, strict=True):
                total.update(count)
            yield name, counts
        yield "all", sums


def shown(count: Counter[bool]) -> str:
    """Return the text of a cell: how many pass, of how many."""
    return f"{count[False]}/{count.total()}"
