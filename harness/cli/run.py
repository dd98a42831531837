"""``harness run``: replay scenarios into targets and check the results."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli import options as shared
from harness.cli.output import INTERRUPTED, deliver, make_reports

if TYPE_CHECKING:
    import argparse

    from harness.engine.baseline import Baseline
    from harness.engine.events import RunFinished

SUMMARY = "replay scenarios into targets and check what they deliver"
EXAMPLES = (
    "harness run",
    "harness run openai_responses/ending --target sdk-helper",
    "harness run 'anthropic_messages/**' --target python:my.app:listen",
    "harness run --report terminal --report junit=build/junit.xml",
    "harness run openai_chat/baseline --consumer cancel:2",
    "harness run --workers 2",
    "harness run --target builtin --target sdk --cluster tcp://10.0.0.5:8786",
)


def options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options and arguments."""
    shared.add_selection(parser)
    shared.add_target(parser, repeatable=True)
    parser.add_argument(
        "--advisory",
        action="append",
        default=[],
        metavar="T",
        help="check this target too; it does not affect the exit code; repeatable",
    )
    shared.add_reports(parser)
    parser.add_argument(
        "--consumer",
        metavar="DO[:AT]",
        help="abort each stream after AT chunks (default: after each number of chunks in turn): "
        f"{shared.any_of(shared.CONSUMERS)} (like every, and also at each step of a service built "
        "on the target)",
    )
    parser.add_argument(
        "--baseline",
        type=Path,
        metavar="F",
        help="file of known failures; they do not affect the exit code",
    )
    shared.add_timeout(parser, 10.0)
    shared.add_workers(parser)
    parser.add_argument("--verbose", action="store_true", help="show every failure and warning")
    shared.add_json(parser, "one JSON line per finding, then the summary")


def main(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from harness.aborting import sweep
    from harness.engine.run import Settings, run
    from harness.engine.selection import select_scenarios
    from harness.scenarios import consumer_of, scenario_root
    from harness.targets.resolving import check

    deciding = tuple(arguments.target or ([] if arguments.advisory else ["builtin"]))
    targets = tuple(dict.fromkeys(check(target) for target in (*deciding, *arguments.advisory)))
    baseline = _baseline(arguments.baseline)
    reports = make_reports(arguments, "run")
    scenarios, errors = select_scenarios(scenario_root(arguments.scenarios), arguments.select)
    if arguments.consumer is not None:
        consumer = consumer_of(arguments.consumer)
        scenarios = [replace(scenario, consumer=consumer) for scenario in scenarios]
    settings = Settings(
        targets, arguments.timeout, baseline, arguments.workers, arguments.cluster, sweep
    )
    finished: RunFinished = deliver(run(scenarios, settings, errors), reports)
    return exit_code(finished, deciding)


def _baseline(path: Path | None) -> Baseline | None:
    if path is None:
        return None
    from harness.engine.baseline import read_baseline

    return read_baseline(path)


def exit_code(finished: RunFinished, deciding: tuple[str, ...]) -> int:
    """Return the exit code of a run.

    Args:
        finished: the run's last event.
        deciding: the targets whose violated requirements count.
    """
    if finished.interrupted:
        return INTERRUPTED
    if finished.stale or any(finished.failures(target) for target in deciding):
        return 1
    return 2 if finished.bad_input else 0
