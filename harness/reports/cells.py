"""The matrix every report shows: how many scenarios of a topic hold for a target."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.engine.events import ScenarioFinished


class Cells:
    """Counts of one run: protocol/topic -> target -> broken or not."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, Counter[bool]]] = defaultdict(dict)

    def __bool__(self) -> bool:
        return bool(self._rows)

    def add(self, judged: ScenarioFinished) -> None:
        """Count one scenario that was told to one target."""
        row = f"{judged.scenario.protocol}/{judged.scenario.topic}"
        self._rows[row].setdefault(judged.target, Counter())[judged.broken] += 1

    def rows(self, targets: tuple[str, ...]) -> Iterator[tuple[str, list[Counter[bool]]]]:
        """Yield each row by name, and last the sum of all: a count for every target."""
        sums = [Counter[bool]() for _ in targets]
        for name in sorted(self._rows):
            counts = [self._rows[name].get(target, Counter()) for target in targets]
            for total, count in zip(sums, counts, strict=True):
                total.update(count)
            yield name, counts
        yield "all", sums


def shown(count: Counter[bool]) -> str:
    """Return a cell: how many hold, of how many."""
    return f"{count[False]}/{count.total()}"
