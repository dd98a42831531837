"""``harness run``: the main job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.cli.places import scenario_root
from harness.reports import make_report
from harness.runner.baseline import Baseline, read_baseline
from harness.runner.happenings import RunFinished
from harness.runner.plan import gather
from harness.runner.run import Settings, run
from harness.targets.addressing import check

if TYPE_CHECKING:
    import argparse


def main(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    deciding = tuple(arguments.target or ([] if arguments.advisory else ["builtin"]))
    targets = tuple(dict.fromkeys(check(target) for target in (*deciding, *arguments.advisory)))
    baseline = read_baseline(arguments.baseline) if arguments.baseline else Baseline()
    specs = ["jsonl"] if arguments.json else arguments.report or ["terminal"]
    reports = [make_report(spec, verbose=arguments.verbose) for spec in specs]
    scenarios, errors = gather(scenario_root(arguments.scenarios), arguments.select)
    code = 0
    try:
        for happening in run(scenarios, Settings(targets, arguments.timeout, baseline), errors):
            for report in reports:
                report.hear(happening)
            if isinstance(happening, RunFinished):
                code = exit_code(happening, deciding)
    finally:
        for report in reports:
            report.close()
    return code


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
