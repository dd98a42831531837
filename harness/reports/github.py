"""A run on GitHub: an annotation at each broken line of a scenario, a matrix in the summary."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.engine.events import RED, BadInput, RunFinished, ScenarioFinished
from harness.reports.cells import Cells, shown
from harness.reports.files import json_text
from harness.reports.github_actions import SHOWN, annotation, code, write_step

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from harness.engine.events import RunEvent
    from harness.model import Finding


class GithubReport:
    """Collects what is broken and tells it when the run is over.

    Args:
        path: a file for the summary, None for the one the runner names.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._errors: list[str] = []
        self._cells = Cells()
        self._page = ""

    def handle(self, happening: RunEvent) -> None:
        """Take one happening."""
        if isinstance(happening, ScenarioFinished):
            self._judged(happening)
        elif isinstance(happening, BadInput):
            error = happening.error
            place = None if error.path is None else Path(error.path)
            self._errors.append(annotation("error", str(error), "bad input", place, error.line))
        elif isinstance(happening, RunFinished):
            self._page = "".join(f"{line}\n" for line in self._lines(happening))

    def close(self) -> None:
        """Write annotations and summary."""
        write_step(self._errors[:SHOWN], self._page, self._path)

    def _judged(self, judged: ScenarioFinished) -> None:
        self._cells.add(judged)
        for finding in judged.findings:
            if finding.verdict in RED:
                self._errors.append(_error(judged, finding))

    def _lines(self, end: RunFinished) -> Iterator[str]:
        targets = tuple(end.verdicts)
        yield "## LLM stream harness"
        yield ""
        yield f"| protocol/topic | {' | '.join(map(code, targets))} |"
        yield f"|---|{'---:|' * len(targets)}"
        for row, counts in self._cells.rows(targets):
            yield f"| {row} | {' | '.join(map(_cell, counts))} |"
        yield ""
        for target in targets:
            words = ", ".join(f"{n} {word}" for word, n in sorted(end.verdicts[target].items()))
            yield f"- {code(target)}: {words or 'nothing judged'}"
        yield ""


def _error(judged: ScenarioFinished, finding: Finding) -> str:
    scenario = judged.scenario
    message = "\n".join(
        (
            scenario.title,
            f"expected: {json_text(finding.expected)}",
            f"actual: {json_text(finding.actual)}",
            f"again: {finding.reproduce}",
        )
    )
    block = "must" if finding.check in scenario.must else "should"
    line = scenario.lines.at(block, finding.check)
    title = f"{finding.target}: {finding.check} does not hold"
    return annotation("error", message, title, scenario.path, line)


def _cell(count: Counter[bool]) -> str:
    return f"**{shown(count)}**" if count[True] else shown(count)


REPORT = GithubReport
