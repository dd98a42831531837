"""A run as one HTML file: the matrix, then every failure in a folded block."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.engine.events import BadInput, RunFinished
from harness.engine.results import FAILING, ScenarioResult, describe
from harness.reports.cells import Cells, shown
from harness.reports.files import write_report
from harness.reports.html_page import document, folded, tag

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator
    from pathlib import Path

    from harness.engine.events import RunEvent
    from harness.model import Finding


class HtmlReport:
    """Collects a run and writes the page when it is over.

    Args:
        path: the file, or None for standard output.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._cells = Cells()
        self._failed: list[tuple[ScenarioResult, Finding]] = []
        self._bad: list[BadInput] = []
        self._end: RunFinished | None = None

    def handle(self, event: RunEvent) -> None:
        """Take the next event."""
        if isinstance(event, ScenarioResult):
            self._cells.add(event)
            self._failed += [(event, f) for f in event.findings if f.verdict in FAILING]
        elif isinstance(event, BadInput):
            self._bad.append(event)
        elif isinstance(event, RunFinished):
            self._end = event

    def close(self) -> None:
        """Write the file."""
        write_report(self._path, document("LLM stream harness", self._body()))

    def _body(self) -> Iterator[str]:
        if self._end is not None:
            yield from self._sums(self._end)
        yield from (tag("p", str(bad.error), "bad") for bad in self._bad)
        targets = tuple(self._end.verdicts) if self._end else ()
        heads = "".join(tag("th", head) for head in ("protocol/topic", *targets))
        rows = "\n".join(_row(name, counts) for name, counts in self._cells.rows(targets))
        yield f"<table>\n<tr>{heads}</tr>\n{rows}\n</table>"
        if self._failed:
            yield tag("h2", "Failed")
        for result, finding in self._failed:
            heading = f"{finding.target}: {finding.scenario}:{finding.check}"
            yield folded(heading, f"{result.scenario.title}\n{describe(finding)}", "bad")

    def _sums(self, end: RunFinished) -> Iterator[str]:
        for target, counts in end.verdicts.items():
            text = ", ".join(f"{n} {verdict}" for verdict, n in sorted(counts.items()))
            yield tag("p", f"{target}: {text}", "bad" if end.failures(target) else "good")


def _row(name: str, counts: list[Counter[bool]]) -> str:
    cells = (tag("span", shown(count), "bad" if count[True] else "good") for count in counts)
    columns = "".join(f'<td class="count">{cell}</td>' for cell in cells)
    return f"<tr>{tag('td', name)}{columns}</tr>"


REPORT = HtmlReport
