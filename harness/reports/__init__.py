"""Listeners of a run: each hears what happens and writes it down its own way.

A report is ``hear(happening)`` and ``close()``. Adding one is a module and a line here.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from harness.reports.files import place_of

if TYPE_CHECKING:
    from harness.engine.events import RunEvent

KINDS = ("terminal", "jsonl", "junit", "html", "github")


class Report(Protocol):
    """One listener."""

    def handle(self, happening: RunEvent) -> None:
        """Take one happening."""

    def close(self) -> None:
        """Write what is still to be written."""


def make_report(spec: str, *, verbose: bool = False) -> Report:
    """Return the report of ``kind`` or ``kind=path``; no path, or ``-``, is standard output.

    Raises:
        UnknownWordError: no report has that kind.
        InputError: the file cannot be written.
    """
    kind, path = place_of(spec, KINDS)
    if kind == "terminal":
        from harness.reports.terminal import TerminalReport

        return TerminalReport(sys.stdout, path, verbose=verbose)
    report: Report = import_module(f"harness.reports.{kind}").REPORT(path)
    return report
