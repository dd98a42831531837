"""What a person reads of a run: progress while it runs, the matrix, the first failures in full.

Rules of this file: colours and the progress line appear only on a terminal; column widths come from
the content; the failures of one scenario are one block, which shows each check with what was
expected and what came, the requirement with its source, and the command that reproduces it.
"""

from __future__ import annotations

import shutil
import sys
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple, TextIO

from harness.engine.events import BadInput, RunFinished, RunStarted
from harness.engine.results import FAILING, ScenarioResult
from harness.reports.cells import Cells, shown
from harness.reports.files import json_text, painted, write_report

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from harness.engine.events import RunEvent
    from harness.model import JSON, Finding, Source

SHOWN = 5  # failed scenarios of a target that are shown in full, unless verbose
_WIDTH = 160  # characters of a value that are shown
_LABEL = 12  # characters of the column of labels


class _Failure(NamedTuple):
    """The findings of one scenario that are shown, and the scenario's result."""

    result: ScenarioResult
    findings: list[Finding]


class TerminalReport:
    """Prints to a stream, or collects for a file.

    Args:
        path: a file to write instead of the stream, without colours.
        verbose: show every failure and every warning in full.
        out: the stream a person reads.
    """

    def __init__(
        self, path: Path | None, *, verbose: bool = False, out: TextIO | None = None
    ) -> None:
        self._out, self._path, self._verbose = out or sys.stdout, path, verbose
        self._live = path is None and self._out.isatty()
        self._lines: list[str] = []
        self._targets: tuple[str, ...] = ()
        self._total = self._done = 0
        self._cells = Cells()
        self._failures: dict[str, list[_Failure]] = defaultdict(list)

    def handle(self, event: RunEvent) -> None:
        """Take the next event."""
        if isinstance(event, RunStarted):
            self._targets = event.targets
            self._total = event.scenarios * len(event.targets)
        elif isinstance(event, BadInput):
            self._print(self._paint("red", f"bad input: {event.error}"))
        elif isinstance(event, ScenarioResult):
            self._add(event)
        else:
            self._finish(event)

    def close(self) -> None:
        """Write the file, where there is one."""
        if self._path is not None:
            write_report(self._path, "".join(f"{line}\n" for line in self._lines))

    def _add(self, result: ScenarioResult) -> None:
        self._done += 1
        self._cells.add(result)
        shown = FAILING | {"warn"} if self._verbose else FAILING
        findings = [finding for finding in result.findings if finding.verdict in shown]
        if findings:
            self._failures[result.target].append(_Failure(result, findings))
        if self._live:
            width = shutil.get_terminal_size().columns - 1  # a wrapped line could not be erased
            line = f"{self._done}/{self._total} {result.scenario.id}"[:width]
            self._out.write(f"\r\x1b[K{line}")
            self._out.flush()

    def _finish(self, end: RunFinished) -> None:
        if self._live:
            self._out.write("\r\x1b[K")
        for line in self._matrix():
            self._print(line)
        for target in self._targets:
            for line in self._failed(target):
                self._print(line)
        for entry in end.stale:
            self._print(self._paint("red", f"stale baseline entry, it passes now: {entry}"))
        self._print("")
        for line in self._closing(end):
            self._print(line)

    def _matrix(self) -> Iterator[str]:
        if not self._cells:
            return
        rows = list(self._cells.rows(self._targets))
        first = max(len(name) for name in ("protocol/topic", *(name for name, _ in rows)))
        widths = [max(len(target), 9) for target in self._targets]
        heads = (t.rjust(w) for t, w in zip(self._targets, widths, strict=True))
        yield self._paint("bold", "  ".join(("protocol/topic".ljust(first), *heads)))
        for name, counts in rows:
            cells = (self._cell(c, w) for c, w in zip(counts, widths, strict=True))
            yield "  ".join((name.ljust(first), *cells))

    def _cell(self, count: Counter[bool], width: int) -> str:
        return self._paint("red" if count[True] else "green", shown(count).rjust(width))

    def _failed(self, target: str) -> Iterator[str]:
        failures = self._failures[target]
        in_full = failures if self._verbose else failures[:SHOWN]
        for failure in in_full:
            yield ""
            red = any(finding.verdict in FAILING for finding in failure.findings)
            word, colour = ("FAILED", "red") if red else ("warning", "yellow")
            yield self._paint(colour, f"{target}: {word} {failure.result.scenario.id}")
            yield from (f"  {label:<{_LABEL}} {text}" for label, text in _details(failure))
        if len(failures) > len(in_full):
            yield ""
            rest = len(failures) - len(in_full)
            yield self._paint("dim", f"{target}: {rest} more scenarios failed; see --verbose")

    def _closing(self, end: RunFinished) -> Iterator[str]:
        for target in self._targets:
            red = end.failures(target)
            counts = ", ".join(f"{n} {word}" for word, n in sorted(end.verdicts[target].items()))
            yield self._paint("red" if red else "green", f"{target}: {counts or 'nothing checked'}")
        begun = "interrupted after" if end.interrupted else "checked"
        each = 1000 * end.seconds / end.results if end.results else 0.0
        yield (
            f"{begun} {end.results} of {self._total} pairs of scenario and target "
            f"in {end.seconds:.1f} s ({each:.1f} ms each)"
        )
        if end.bad_input:
            yield self._paint(
                "red",
                f"input files that could not be used: {end.bad_input}; the others were checked",
            )

    def _print(self, line: str) -> None:
        if self._path is None:
            self._out.write(f"{line}\n")
        else:
            self._lines.append(line)

    def _paint(self, colour: str, text: str) -> str:
        return painted(colour, text) if self._live else text


def _details(failure: _Failure) -> Iterator[tuple[str, str]]:
    """Yield label and text of each line of a failure."""
    scenario = failure.result.scenario
    yield "scenario", scenario.title
    for finding in failure.findings:
        yield "check", finding.check + (" (warning)" if finding.verdict == "warn" else "")
        yield "  expected", _short(finding.expected)
        yield "  actual", _short(finding.actual)
    yield from _requirements(failure)
    for command in dict.fromkeys(finding.reproduce for finding in failure.findings):
        yield "reproduce", command


def _requirements(failure: _Failure) -> Iterator[tuple[str, str]]:
    """Yield the requirement and its source: the provider's sentence, or the catalogue's.

    Checks that no scenario states (invariants, mutations) show their sentence as what was expected.
    """
    scenario = failure.result.scenario
    keys = {*scenario.must, *scenario.should}
    stated = [finding for finding in failure.findings if finding.check in keys]
    if stated:
        sources = dict.fromkeys(source for finding in stated for source in finding.sources)
        yield from _sources(tuple(sources), scenario.cases)
    others = ", ".join(finding.check for finding in failure.findings if finding.check not in keys)
    if others:
        yield "source", f"docs/requirements.md ({others})"


def _sources(sources: Sequence[Source], cases: Sequence[str]) -> Iterator[tuple[str, str]]:
    from harness.scenarios.catalogue import case

    for source in sources:
        yield "requirement", source.says
        yield "source", source.url
    for case_id in cases:
        entry = case(case_id)
        if entry is not None and not sources:
            yield "requirement", entry.expected
        yield "source", f"{entry.page if entry else 'docs/catalogue.md'} ({case_id})"


def _short(value: JSON) -> str:
    text = repr(value) if isinstance(value, str) else json_text(value)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


REPORT = TerminalReport
