"""A comparison on the terminal: progress while it runs, then the page.

Rule of this file: progress goes to standard error, and only where that is a terminal; the page has
colours only where standard output is one.
"""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, TextIO

from harness.comparing.events import (
    ComparisonFinished,
    ComparisonStarted,
    Progress,
    StreamCompared,
    UnusableInput,
)
from harness.reports.comparing.page import page
from harness.reports.files import painted, write_report

if TYPE_CHECKING:
    from pathlib import Path

    from harness.comparing.events import CompareEvent


class TerminalReport:
    """Prints to a stream, or writes a file.

    Args:
        path: a file to write instead of the stream, without colours.
        verbose: show every group in full.
        out: the stream a person reads.
    """

    def __init__(
        self, path: Path | None, *, verbose: bool = False, out: TextIO | None = None
    ) -> None:
        self._out, self._path, self._verbose = out or sys.stdout, path, verbose
        self._live = sys.stderr.isatty()
        self._total = self._done = 0
        self._text: str | None = None

    def handle(self, event: CompareEvent) -> None:
        """Take the next event."""
        if isinstance(event, Progress):
            self._progress(event.message)
        elif isinstance(event, UnusableInput):
            self._progress("")
            sys.stderr.write(f"harness: {event.error}\n")
        elif isinstance(event, ComparisonStarted):
            self._total = event.streams
        elif isinstance(event, StreamCompared):
            self._done += 1
            self._progress(f"{self._done}/{self._total} {event.stream.name}")
        else:
            self._ended(event)

    def close(self) -> None:
        """Write the file, where there is one."""
        if self._path is not None and self._text is not None:
            write_report(self._path, self._text)

    def _ended(self, end: ComparisonFinished) -> None:
        self._progress("")
        colours = self._path is None and self._out.isatty()
        lines = page(end, verbose=self._verbose)
        self._text = "".join(
            f"{painted(line.colour, line.text) if colours and line.colour else line.text}\n"
            for line in lines
        )
        if self._path is None:
            self._out.write(self._text)

    def _progress(self, message: str) -> None:
        if self._live:
            width = shutil.get_terminal_size().columns - 1  # a wrapped line could not be erased
            sys.stderr.write(f"\r\x1b[K{message[:width]}")
            sys.stderr.flush()


REPORT = TerminalReport
