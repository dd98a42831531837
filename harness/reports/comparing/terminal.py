"""What a person reads of a comparison: progress while it runs, then the page.

Rule of this file: progress goes to standard error, and only where that is a terminal; colours only
where the page goes to one.
"""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, TextIO

from harness.comparing.events import Began, Compared, Ended, Progress, Unusable
from harness.reports.comparing.page import page
from harness.reports.files import painted, write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from harness.comparing.events import CompareEvent


class TerminalReport:
    """Prints to a stream, or writes a file.

    Args:
        out: where a person reads.
        path: a file to write instead, without colours.
        verbose: show every group in full.
    """

    def __init__(self, out: TextIO, path: Path | None, *, verbose: bool = False) -> None:
        self._out, self._path, self._verbose = out, path, verbose
        self._live = sys.stderr.isatty()
        self._total = self._done = 0
        self._text: str | None = None

    def handle(self, happening: CompareEvent) -> None:
        """Take one happening."""
        if isinstance(happening, Progress):
            self._progress(happening.words)
        elif isinstance(happening, Unusable):
            self._progress("")
            sys.stderr.write(f"harness: {happening.error}\n")
        elif isinstance(happening, Began):
            self._total = happening.streams
        elif isinstance(happening, Compared):
            self._done += 1
            self._progress(f"{self._done}/{self._total} {happening.stream.name}")
        else:
            self._ended(happening)

    def close(self) -> None:
        """Write the file, where there is one."""
        if self._path is not None and self._text is not None:
            write_whole(self._path, self._text)

    def _ended(self, end: Ended) -> None:
        self._progress("")
        colours = self._path is None and self._out.isatty()
        lines = page(end, verbose=self._verbose)
        self._text = "".join(
            f"{painted(line.colour, line.text) if colours and line.colour else line.text}\n"
            for line in lines
        )
        if self._path is None:
            self._out.write(self._text)

    def _progress(self, words: str) -> None:
        if self._live:
            width = shutil.get_terminal_size().columns - 1  # a wrapped line could not be erased
            sys.stderr.write(f"\r\x1b[K{words[:width]}")
            sys.stderr.flush()
