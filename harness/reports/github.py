"""A run on GitHub: an annotation at the line of each failed check, the matrix in the summary."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.engine.events import BadInput, RunFinished
from harness.engine.results import FAILING, ScenarioResult
from harness.reports.cells import Cells, shown
from harness.reports.files import json_text
from harness.reports.github_actions import SHOWN, annotation, code, write_step

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from harness.engine.events import RunEvent
    from harness.model import Finding


class GithubReport:
    """Collects failures and writes them when the run is over.

    Args:
        path: a file for the summary, None for the one the runner names.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._errors: list[str] = []
        self._cells = Cells()
        self._page = ""

    def handle(self, event: RunEvent) -> None:
        """Take the next event."""
        if isinstance(event, ScenarioResult):
            self._add(event)
        elif isinstance(event, BadInput):
            error = event.error
            place = None if error.path is None else Path(error.path)
            self._errors.append(annotation("error", str(error), "bad input", place, error.line))
        elif isinstance(event, RunFinished):
            self._page = "".join(f"{line}\n" for line in self._lines(event))

    def close(self) -> None:
        """Write annotations and summary."""
        write_step(self._errors[:SHOWN], self._page, self._path)

    def _add(self, result: ScenarioResult) -> None:
        self._cells.add(result)
        for finding in result.findings:
            if finding.verdict in FAILING:
                self._errors.append(_error(result, finding))

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
            verdicts = sorted(end.verdicts[target].items())
            text = ", ".join(f"{count} {verdict}" for verdict, count in verdicts)
            yield f"- {code(target)}: {text or 'nothing checked'}"
        yield ""


def _error(result: ScenarioResult, finding: Finding) -> str:
    scenario = result.scenario
    message = "\n".join(
        (
            scenario.title,
            f"expected: {json_text(finding.expected)}",
            f"actual: {json_text(finding.actual)}",
            f"reproduce: {finding.reproduce}",
        )
    )
    block = "must" if finding.check in scenario.must else "should"
    line = scenario.lines.at(block, finding.check)
    title = f"{finding.target}: {finding.check} failed"
    return annotation("error", message, title, scenario.path, line)


def _cell(count: Counter[bool]) -> str:
    return f"**{shown(count)}**" if count[True] else shown(count)


REPORT = GithubReport
