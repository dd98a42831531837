"""What a person reads: progress while it runs, the matrix, the first failures in full.

Rules of this file: colours and the progress line only on a terminal; widths come from the content;
a failure shows requirement, expected, actual, source, and the one command that shows it again.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from typing import TYPE_CHECKING, TextIO

from harness.engine.events import RED, BadInput, RunFinished, RunStarted, ScenarioFinished
from harness.reports.cells import Cells, shown
from harness.reports.files import json_text, painted, write_whole

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator
    from pathlib import Path

    from harness.engine.events import RunEvent
    from harness.model import JSON, Finding

SHOWN = 5  # failures of a target shown in full, unless verbose
_WIDTH = 160  # characters of a value shown


class TerminalReport:
    """Prints to a stream, or collects for a file.

    Args:
        out: where a person reads.
        path: a file to write instead, without colours.
        verbose: show every failure and every warning in full.
    """

    def __init__(self, out: TextIO, path: Path | None, *, verbose: bool = False) -> None:
        self._out, self._path, self._verbose = out, path, verbose
        self._live = path is None and out.isatty()
        self._lines: list[str] = []
        self._targets: tuple[str, ...] = ()
        self._total = self._done = 0
        self._cells = Cells()
        self._failed: dict[str, list[tuple[ScenarioFinished, Finding]]] = defaultdict(list)
        self._warned = 0

    def handle(self, happening: RunEvent) -> None:
        """Take one happening."""
        if isinstance(happening, RunStarted):
            self._targets = happening.targets
            self._total = happening.scenarios * len(happening.targets)
        elif isinstance(happening, BadInput):
            self._print(self._paint("red", f"bad input: {happening.error}"))
        elif isinstance(happening, ScenarioFinished):
            self._judged(happening)
        else:
            self._finished(happening)

    def close(self) -> None:
        """Write the file, where there is one."""
        if self._path is not None:
            write_whole(self._path, "".join(f"{line}\n" for line in self._lines))

    def _judged(self, judged: ScenarioFinished) -> None:
        self._done += 1
        self._cells.add(judged)
        for finding in judged.findings:
            if finding.verdict in RED or (self._verbose and finding.verdict == "warn"):
                self._failed[judged.target].append((judged, finding))
            self._warned += finding.verdict == "warn"
        if self._live:
            width = shutil.get_terminal_size().columns - 1  # a wrapped line could not be erased
            line = f"{self._done}/{self._total} {judged.scenario.id}"[:width]
            self._out.write(f"\r\x1b[K{line}")
            self._out.flush()

    def _finished(self, end: RunFinished) -> None:
        if self._live:
            self._out.write("\r\x1b[K")
        for line in self._matrix():
            self._print(line)
        for target in self._targets:
            for line in self._failures(target):
                self._print(line)
        for entry in end.stale:
            self._print(self._paint("red", f"stale baseline entry, it holds now: {entry}"))
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

    def _failures(self, target: str) -> Iterator[str]:
        failed = self._failed[target]
        shown = failed if self._verbose else failed[:SHOWN]
        for judged, finding in shown:
            yield ""
            word = "warning" if finding.verdict == "warn" else "broken"
            head = f"{target}: {word} {finding.scenario}:{finding.check}"
            yield self._paint("yellow" if word == "warning" else "red", head)
            yield f"  requirement  {judged.scenario.title}"
            yield f"  expected     {_short(finding.expected)}"
            yield f"  actual       {_short(finding.actual)}"
            yield f"  source       {_source(judged, finding)}"
            yield f"  again        {finding.reproduce}"
        if len(failed) > len(shown):
            yield ""
            yield self._paint("dim", f"{target}: {len(failed) - len(shown)} more; see --verbose")

    def _closing(self, end: RunFinished) -> Iterator[str]:
        for target in self._targets:
            red = end.red(target)
            words = ", ".join(f"{n} {word}" for word, n in sorted(end.verdicts[target].items()))
            yield self._paint("red" if red else "green", f"{target}: {words or 'nothing judged'}")
        stopped = "interrupted after" if end.interrupted else "judged"
        each = 1000 * end.seconds / end.judged if end.judged else 0.0
        yield (
            f"{stopped} {end.judged} of {self._total} pairs of scenario and target "
            f"in {end.seconds:.1f} s ({each:.1f} ms each)"
        )
        if end.bad_input:
            yield self._paint("red", f"{end.bad_input} bad input files; the others were judged")

    def _print(self, line: str) -> None:
        if self._path is None:
            self._out.write(f"{line}\n")
        else:
            self._lines.append(line)

    def _paint(self, colour: str, text: str) -> str:
        return painted(colour, text) if self._live else text


def _short(value: JSON) -> str:
    text = repr(value) if isinstance(value, str) else json_text(value)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def _source(judged: ScenarioFinished, finding: Finding) -> str:
    cases = ", ".join(judged.scenario.cases)
    if finding.sources:
        first = finding.sources[0]
        return f"{first.says} {first.url}" + (f" ({cases})" if cases else "")
    return f"catalogue {cases}"
