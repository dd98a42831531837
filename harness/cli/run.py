"""``harness run``: the main job."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.engine.baseline import Baseline, read_baseline
from harness.engine.events import RunFinished
from harness.engine.run import Settings, run
from harness.engine.selection import select_scenarios
from harness.reports import make_report
from harness.scenarios import consumer_of, scenario_root
from harness.targets.resolving import check

if TYPE_CHECKING:
    import argparse
    from collections.abc import Generator, Sequence

    from harness.engine.events import RunEvent
    from harness.reports import Report


def main(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    deciding = tuple(arguments.target or ([] if arguments.advisory else ["builtin"]))
    targets = tuple(dict.fromkeys(check(target) for target in (*deciding, *arguments.advisory)))
    baseline = read_baseline(arguments.baseline) if arguments.baseline else Baseline()
    reports = [make_report(spec, verbose=arguments.verbose) for spec in _specs(arguments)]
    scenarios, errors = select_scenarios(scenario_root(arguments.scenarios), arguments.select)
    if arguments.consumer is not None:
        consumer = consumer_of(arguments.consumer)
        scenarios = [replace(scenario, consumer=consumer) for scenario in scenarios]
    settings = Settings(targets, arguments.timeout, baseline, arguments.workers, arguments.cluster)
    happenings = run(scenarios, settings, errors)
    with ExitStack() as closing:
        for report in reports:
            closing.callback(report.close)
        end = _tell(happenings, reports)
    return exit_code(end, deciding)


def _specs(arguments: argparse.Namespace) -> list[str]:
    named = list(arguments.report or [])
    return [*named, "jsonl"] if arguments.json else named or ["terminal"]


def _tell(
    happenings: Generator[RunEvent, None, None], reports: Sequence[Report[object]]
) -> RunFinished:
    """Let every report hear the run; Ctrl-C while one is busy is handed to the run."""
    happening = next(happenings)
    while True:
        try:
            for report in reports:
                report.handle(happening)
            if isinstance(happening, RunFinished):
                return happening
            happening = next(happenings)
        except KeyboardInterrupt as interrupt:
            happening = happenings.throw(interrupt)


def exit_code(end: RunFinished, deciding: tuple[str, ...]) -> int:
    """Return the exit code of a run.

    Args:
        end: how it ended.
        deciding: the targets whose broken laws count.
    """
    if end.interrupted:
        return 130
    if end.stale or any(end.red(target) for target in deciding):
        return 1
    return 2 if end.bad_input else 0
