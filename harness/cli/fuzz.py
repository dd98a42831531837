"""``harness fuzz``: laws over generated streams."""

from __future__ import annotations

import json
import sys
from functools import partial
from typing import TYPE_CHECKING

from harness.errors import InputError, UnknownWordError
from harness.protocols import names

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from harness.fuzzing.campaign import CampaignResult, Settings
    from harness.fuzzing.distributed import DistributedCampaign, Hands
    from harness.fuzzing.failure import Failure

EXAMPLES = 2000  # where nothing else bounds a campaign


def main(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    try:
        from harness.fuzzing.distributed import DistributedCampaign
        from harness.generation.example_database import opened
    except ModuleNotFoundError as error:
        words = f"{error.name} is not installed; `pip install 'llm-stream-harness[fuzz]'`"
        raise InputError(words) from error
    settings = _settings(arguments)
    with opened(arguments.database) as kept:
        _say_healed(arguments)
        return _run(DistributedCampaign(settings, arguments.workers, kept), arguments)


def _say_healed(arguments: argparse.Namespace) -> None:
    """Name the files of earlier campaigns that no longer fail."""
    from harness.fuzzing.regressions import healed

    for path in healed(arguments.out, arguments.target, arguments.timeout):
        words = f"{path} no longer fails: delete it, or keep it among your scenarios"
        if arguments.json:
            _say(json.dumps({"healed": str(path)}) + "\n")
        else:
            _say(f"{words}\n")


def _settings(arguments: argparse.Namespace) -> Settings:
    from harness.fuzzing.campaign import Settings
    from harness.fuzzing.property_list import select_properties
    from harness.targets.resolving import check

    for name in arguments.protocols:
        if name not in names():
            raise UnknownWordError("protocol", name, names())
    return Settings(
        target=check(arguments.target),
        protocols=tuple(dict.fromkeys(arguments.protocols)) or names(),
        laws=select_properties(arguments.law or ()),
        examples=arguments.examples or (None if arguments.time else EXAMPLES),
        seconds=arguments.time,
        seed=arguments.seed,
        timeout=arguments.timeout,
    )


def _run(whole: DistributedCampaign, arguments: argparse.Namespace) -> int:
    from harness.fuzzing.files import keep

    out: Path = arguments.out
    for failure in whole.run(_hands(arguments)):
        if failure is None:
            _progress(whole.tally)
            continue
        keep(failure, out)
        _say(_line(failure, out) if arguments.json else f"{failure.describe(str(out))}\n\n")
    _progress(whole.tally, last=True)
    _end(whole.tally, arguments)
    return _code(whole.tally)


def _hands(arguments: argparse.Namespace) -> Hands | None:
    """Return who does the shares: other processes, a cluster, or nobody but this process."""
    from harness.engine import workers as crew

    if arguments.cluster:
        return partial(crew.cluster, address=arguments.cluster)
    if arguments.workers > 1:
        return partial(crew.processes, count=arguments.workers)
    return None


def _code(tally: CampaignResult) -> int:
    if tally.interrupted:
        return 130
    return 1 if any(failure.severity == "must" for failure in tally.failures) else 0


def _say(words: str) -> None:
    sys.stdout.write(words)
    sys.stdout.flush()


def _line(failure: Failure, out: Path) -> str:
    said = {
        "scenario": failure.id,
        "target": failure.target,
        "check": failure.law,
        "verdict": "fail" if failure.severity == "must" else "warn",
        "expected": dict(failure.expected),
        "actual": dict(failure.actual),
        "reproduce": failure.reproduce(str(out)),
    }
    return json.dumps(said, ensure_ascii=False) + "\n"


def _progress(tally: CampaignResult, *, last: bool = False) -> None:
    """Show how far it is, on a terminal only."""
    if not sys.stderr.isatty():
        return
    rate = tally.streams / tally.seconds if tally.seconds else 0.0
    words = (
        f"{tally.examples:,} examples, {tally.streams:,} streams, {rate:.0f}/s, "
        f"{len(tally.judged)} laws, {len(tally.failures)} broken"
    )
    sys.stderr.write(f"\r\x1b[K{words}{chr(10) if last else ''}")
    sys.stderr.flush()


def _end(tally: CampaignResult, arguments: argparse.Namespace) -> None:
    summary = {
        "examples": tally.examples,
        "cases": tally.cases,
        "streams": tally.streams,
        "seconds": round(tally.seconds, 2),
        "laws": dict(tally.judged),
        "failures": len(tally.failures),
        "interrupted": tally.interrupted,
        "unspoken": sorted(tally.unspoken),
    }
    if arguments.json:
        _say(json.dumps({"summary": summary}) + "\n")
        return
    for word in sorted(tally.unspoken):
        _say(f"{word}: not judged, the target does not speak it\n")
    for law, count in tally.judged.items():
        broken = sum(failure.law == law for failure in tally.failures)
        _say(f"{law:<24} {count:>8,} examples  {broken or 'holds'}{' broken' if broken else ''}\n")
    rate = tally.streams / tally.seconds if tally.seconds else 0.0
    _say(
        f"{tally.examples:,} examples, {tally.streams:,} streams in {tally.seconds:.1f} s "
        f"({rate:.0f} a second), {len(tally.failures)} failures"
        f"{f', written to {arguments.out}' if tally.failures else ''}\n"
    )
