"""The events of a small run, for the tests of reports."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from harness.engine.events import BadInput, RunFinished, RunStarted
from harness.engine.results import ScenarioResult
from harness.errors import InputError
from harness.model import Finding, Outcome, Source
from tests.scenario_files import ID, written

if TYPE_CHECKING:
    from pathlib import Path

    from harness.engine.events import RunEvent
    from harness.reports import Report

TARGETS = ("builtin", "mine")
SOURCE = Source(url="https://example.org/spec", says="A text is a text.")
NASTY = "\x00 \x1b[31m <b>&\"' \ufffe \ud83d \U0001f600 ]]>"


def finding(verdict: Any, check: str = "text", **fields: Any) -> Finding:
    given: dict[str, Any] = {
        "scenario": ID,
        "target": "mine",
        **fields,
    }
    return Finding(check=check, verdict=verdict, reproduce="harness run it", **given)


def result(tmp_path: Path, target: str, *findings: Finding) -> ScenarioResult:
    return ScenarioResult(written(tmp_path), target, Outcome(), findings, 0.25)


def events(tmp_path: Path, *mine: Finding, **end: Any) -> list[RunEvent]:
    """Return a run of one scenario into two targets, the second with the given findings."""
    counted: Counter[str] = Counter(one.verdict for one in mine)
    verdicts = {"builtin": Counter({"pass": 1}), "mine": counted}
    return [
        RunStarted(1, TARGETS),
        BadInput(InputError("it is\x00 bad", path="a.yaml", line=3)),
        result(tmp_path, "builtin", finding("pass", target="builtin")),
        result(tmp_path, "mine", *mine),
        RunFinished(2, 0.5, verdicts, bad_input=1, **end),
    ]


def report_events(report: Report[RunEvent], events: list[RunEvent]) -> None:
    for event in events:
        report.handle(event)
    report.close()
