"""Listeners of a comparison, as those of a run: ``hear(happening)``, ``close()``.

page.py writes a comparison as lines that a person reads, terminal.py shows them with progress;
one module for each other kind.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from harness.reports.files import place_of

if TYPE_CHECKING:
    from harness.comparing.events import CompareEvent

KINDS = ("terminal", "jsonl", "junit", "html", "github")


class CompareReport(Protocol):
    """One listener."""

    def handle(self, happening: CompareEvent) -> None:
        """Take one happening."""

    def close(self) -> None:
        """Write what is still to be written."""


def make_report(spec: str, *, verbose: bool = False) -> CompareReport:
    """Return the report of ``kind`` or ``kind=path``; no path, or ``-``, is standard output.

    Raises:
        UnknownWordError: no report has that kind.
        InputError: the file cannot be written.
    """
    kind, path = place_of(spec, KINDS)
    if kind == "terminal":
        from harness.reports.comparing.terminal import TerminalReport

        return TerminalReport(sys.stdout, path, verbose=verbose)
    report: CompareReport = import_module(f"harness.reports.comparing.{kind}").REPORT(path)
    return report
