"""One JSON line per finding, then the summary: for other programs.

The keys are a contract: scenario, target, check, verdict, expected,
actual, reproduce; the last line is ``{"summary": {…}}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.engine.events import BadInput, RunFinished
from harness.engine.results import ScenarioResult
from harness.reports.files import json_text, write_report

if TYPE_CHECKING:
    from pathlib import Path

    from harness.engine.events import RunEvent
    from harness.model import JSON


class JsonlReport:
    """Collects lines and writes them at once when the run is over.

    Args:
        path: the file, or None for standard output.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lines: list[str] = []

    def handle(self, event: RunEvent) -> None:
        """Take the next event."""
        if isinstance(event, ScenarioResult):
            self._lines += [json_text(f.model_dump(mode="json")) for f in event.findings]
        elif isinstance(event, BadInput):
            self._lines.append(json_text({"bad_input": str(event.error)}))
        elif isinstance(event, RunFinished):
            self._lines.append(json_text({"summary": summary(event)}))

    def close(self) -> None:
        """Write the file."""
        write_report(self._path, "".join(f"{line}\n" for line in self._lines))


def summary(end: RunFinished) -> dict[str, JSON]:
    """Return the summary of a run as a JSON object."""
    return {
        "checked": end.results,
        "seconds": round(end.seconds, 3),
        "targets": {target: dict(sorted(count.items())) for target, count in end.verdicts.items()},
        "stale": list(end.stale),
        "bad_input": end.bad_input,
        "interrupted": end.interrupted,
    }


REPORT = JsonlReport
