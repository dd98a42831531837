"""What commands print: warnings, progress, the totals at the end, and reports of a run."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from harness.reports import make_report

if TYPE_CHECKING:
    import argparse
    from collections import Counter
    from collections.abc import Generator, Sequence

    from harness.reports import Feature, Report

INTERRUPTED = 130  # exit code after Ctrl-C, as shells report it


def warn(message: object) -> None:
    """Write a line to standard error, with the program's name."""
    sys.stderr.write(f"harness: {message}\n")


def show_progress(text: str) -> None:
    """Write to standard error if it is a terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(text)
        sys.stderr.flush()


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, e.g. ``1 scenario`` or ``2,000 scenarios``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def totals(counts: Counter[str], *, empty: str = "nothing found") -> str:
    """Return counts as one line, e.g. ``2 legal, 1 illegal``, in the order of their names."""
    return ", ".join(f"{number} {name}" for name, number in sorted(counts.items())) or empty


def make_reports(arguments: argparse.Namespace, feature: Feature) -> list[Report[object]]:
    """Return the reports that ``--report`` and ``--json`` ask for; the terminal by default.

    Raises:
        InputError: a report is unknown, or its file cannot be written.
    """
    specs = [*(arguments.report or ()), *(["jsonl"] if arguments.json else [])]
    return [make_report(spec, feature, verbose=arguments.verbose) for spec in specs or ["terminal"]]


def deliver(events: Generator[Any, None, None], reports: Sequence[Report[object]]) -> Any:
    """Pass every event to every report, close the reports and return the last event.

    Ctrl-C while a report works is thrown into the generator, which then ends with a summary.
    """
    with ExitStack() as closing:
        for report in reports:
            closing.callback(report.close)
        event = next(events)
        while True:
            try:
                for report in reports:
                    report.handle(event)
                last = event
                event = next(events)
            except StopIteration:
                return last
            except KeyboardInterrupt as interrupt:
                event = events.throw(interrupt)
