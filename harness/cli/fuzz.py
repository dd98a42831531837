"""``harness fuzz``: property tests of a target over generated streams."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli import options as shared
from harness.cli.output import INTERRUPTED, counted, show_progress
from harness.errors import InputError, UnknownWordError

if TYPE_CHECKING:
    import argparse

    from harness.fuzzing.campaign import CampaignResult
    from harness.fuzzing.distributed import DistributedCampaign, Pool
    from harness.fuzzing.failure import Failure
    from harness.fuzzing.settings import Settings

SUMMARY = "property-test a target with generated streams; shrink and save failures"
EXAMPLES = (
    "harness fuzz",
    "harness fuzz openai_chat --target sdk-helper --time 60",
    "harness fuzz --target python:my.app:listen --property round_trip --property no_partial_call",
    "harness run openai_chat/fuzz --scenarios build/fuzz   # reproduce the saved failures",
)
_EXAMPLES = 2000  # where neither --examples nor --time is given


def options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options and arguments."""
    parser.add_argument(
        "protocols", nargs="*", metavar="PROTOCOL", help="protocols to generate (default: all)"
    )
    shared.add_target(parser)
    parser.add_argument(
        "--examples",
        type=shared.count,
        metavar="N",
        help=f"number of examples, all properties together (default: {_EXAMPLES}, or what --time "
        "allows)",
    )
    parser.add_argument(
        "--time", type=shared.seconds, metavar="S", help="stop generating after S seconds"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="random seed (default: 0)")
    parser.add_argument(
        "--property",
        action="append",
        metavar="NAME",
        help="test only this property; repeatable (default: all)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("build/fuzz"),
        metavar="DIR",
        help="folder for failures, as scenarios and pytest cases (default: build/fuzz)",
    )
    parser.add_argument(
        "--database",
        default=".hypothesis/harness",
        metavar="PLACE",
        help="where failing examples are stored and retried first: a folder or redis://HOST "
        "(default: .hypothesis/harness)",
    )
    shared.add_timeout(parser, 10.0)
    shared.add_workers(parser)
    shared.add_json(parser, "one JSON line per failure, then the summary")


def main(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    try:
        from harness.fuzzing.distributed import DistributedCampaign
        from harness.generation.example_database import open_database
    except ModuleNotFoundError as error:
        message = f"{error.name} is not installed; `pip install 'llm-stream-harness[fuzz]'`"
        raise InputError(message) from error
    settings = _settings(arguments)
    with open_database(arguments.database) as database:
        _show_fixed(arguments)
        return _run(DistributedCampaign(settings, arguments.workers, database), arguments)


def _show_fixed(arguments: argparse.Namespace) -> None:
    """Name the saved failures that no longer fail."""
    from harness.fuzzing.regressions import fixed_scenarios

    for path in fixed_scenarios(arguments.out, arguments.target, arguments.timeout):
        if arguments.json:
            _print(json.dumps({"fixed": str(path)}))
        else:
            _print(f"{path} no longer fails: delete it, or keep it as a scenario of yours")


def _settings(arguments: argparse.Namespace) -> Settings:
    from harness.fuzzing.properties import select_properties
    from harness.fuzzing.settings import Settings
    from harness.protocols import names
    from harness.targets.resolving import check

    for name in arguments.protocols:
        if name not in names():
            raise UnknownWordError("protocol", name, names())
    return Settings(
        target=check(arguments.target),
        protocols=tuple(dict.fromkeys(arguments.protocols)) or names(),
        properties=select_properties(arguments.property or ()),
        examples=arguments.examples or (None if arguments.time else _EXAMPLES),
        seconds=arguments.time,
        seed=arguments.seed,
        timeout=arguments.timeout,
    )


def _run(campaign: DistributedCampaign, arguments: argparse.Namespace) -> int:
    from harness.fuzzing.files import write_failure

    out: Path = arguments.out
    for failure in campaign.run(_workers(arguments)):
        if failure is None:
            _show_rate(campaign.result)
            continue
        write_failure(failure, out)
        _print(_line(failure, out) if arguments.json else f"{failure.describe(str(out))}\n")
    _show_rate(campaign.result)
    show_progress("\n")
    if arguments.json:
        _print(json.dumps({"summary": _summary(campaign.result)}))
    else:
        _print_page(campaign.result, out)
    return _exit_code(campaign.result)


def _workers(arguments: argparse.Namespace) -> Pool | None:
    """Return the processes or the cluster to use; None is this process."""
    from harness.engine import workers

    if arguments.cluster:
        return partial(workers.cluster, address=arguments.cluster)
    if arguments.workers > 1:
        return partial(workers.processes, count=arguments.workers)
    return None


def _exit_code(result: CampaignResult) -> int:
    if result.interrupted:
        return INTERRUPTED
    return 1 if any(failure.severity == "must" for failure in result.failures) else 0


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _line(failure: Failure, out: Path) -> str:
    finding = {
        "scenario": failure.id,
        "target": failure.target,
        "check": failure.property_name,
        "verdict": "fail" if failure.severity == "must" else "warn",
        "expected": dict(failure.expected),
        "actual": dict(failure.actual),
        "reproduce": failure.reproduce(str(out)),
    }
    return json.dumps(finding, ensure_ascii=False)


def _show_rate(result: CampaignResult) -> None:
    show_progress(
        f"\r\x1b[K{result.examples:,} examples, {result.streams:,} streams, "
        f"{_rate(result):.0f}/s, {len(result.evaluated)} properties tested, "
        f"{counted(len(result.failures), 'failure')}"
    )


def _rate(result: CampaignResult) -> float:
    return result.streams / result.seconds if result.seconds else 0.0


def _summary(result: CampaignResult) -> dict[str, object]:
    return {
        "examples": result.examples,
        "cases": result.cases,
        "streams": result.streams,
        "seconds": round(result.seconds, 2),
        "properties": dict(result.evaluated),
        "failures": len(result.failures),
        "interrupted": result.interrupted,
        "unsupported": sorted(result.unsupported),
    }


def _print_page(result: CampaignResult, out: Path) -> None:
    for name in sorted(result.unsupported):
        _print(f"{name}: not tested, the target does not support it")
    for name, count in result.evaluated.items():
        failures = sum(failure.property_name == name for failure in result.failures)
        verdict = counted(failures, "failure") if failures else "passes"
        _print(f"{name:<24} {count:>8,} examples  {verdict}")
    _print(
        f"{result.examples:,} examples, {result.streams:,} streams in {result.seconds:.1f} s "
        f"({_rate(result):.0f} per second), {counted(len(result.failures), 'failure')}"
        f"{f', written to {out}' if result.failures else ''}"
    )
