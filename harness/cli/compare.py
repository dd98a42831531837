"""``harness compare``: the upgrade check."""

from __future__ import annotations

import shlex
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from harness.comparing.comparison import Settings, compare
from harness.comparing.events import ComparisonFinished
from harness.comparing.streams import Sample, select_streams
from harness.errors import InputError
from harness.reports import make_report
from harness.scenarios import scenario_root
from harness.targets.addresses import check_form, environment_of, inside
from harness.targets.environments import cache_folder, prune

if TYPE_CHECKING:
    import argparse
    from collections.abc import Generator, Sequence

    from harness.comparing.events import CompareEvent
    from harness.reports import Report

_SIDES = 2


def main(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    if arguments.prune:
        return _prune()
    if arguments.versions is not None:
        from harness.cli.compare_versions import show

        return show(arguments)
    selectors, sides = _split(arguments.words)
    settings = Settings(
        target=arguments.target,
        sides=tuple((words, inside(words, arguments.target)) for words in sides),
        command=_command(arguments, sides),
        timeout=arguments.timeout,
        words=arguments.strict,
    )
    for _, address in settings.sides:
        check_form(environment_of(address).target)
    reports = [
        make_report(spec, "compare", verbose=arguments.verbose) for spec in _specs(arguments)
    ]
    root = scenario_root(arguments.scenarios)
    sample = Sample(arguments.fuzz, arguments.seed)
    streams, errors = select_streams(root, folders(arguments.corpus), selectors, sample)
    happenings = compare(streams, settings, errors)
    with ExitStack() as closing:
        for report in reports:
            closing.callback(report.close)
        end = _tell(happenings, reports)
    return exit_code(end)


def exit_code(end: ComparisonFinished) -> int:
    """Return the exit code of a comparison."""
    if end.interrupted:
        return 130
    if end.unusable or not end.compared:
        return 2
    return 1 if end.counts["requirement violated"] or end.unclassified else 0


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    if len(words) < _SIDES:
        raise InputError(
            "name two sides, e.g. harness compare openai==2.54.0 openai==3.52.0, or current"
        )
    return list(words[:-_SIDES]), list(words[-_SIDES:])


def _command(arguments: argparse.Namespace, sides: Sequence[str]) -> str:
    options = ["--target", arguments.target]
    for folder in arguments.corpus:
        options += ["--corpus", str(folder)]
    if arguments.fuzz:
        options += ["--fuzz", str(arguments.fuzz), "--seed", str(arguments.seed)]
    if arguments.scenarios is not None:
        options += ["--scenarios", str(arguments.scenarios)]
    quoted = shlex.join([*sides, *options]).replace("{", "{{").replace("}", "}}")
    return f"harness compare {{}} {quoted}"


def folders(named: Sequence[Path]) -> list[Path]:
    """Return where recordings are: ./cassettes, where there is one, and what was named."""
    cassettes = Path("cassettes")
    return [*([cassettes] if cassettes.is_dir() else []), *named]


def _specs(arguments: argparse.Namespace) -> list[str]:
    named = list(arguments.report or [])
    return [*named, "jsonl"] if arguments.json else named or ["terminal"]


def _tell(
    happenings: Generator[CompareEvent, None, None], reports: Sequence[Report[object]]
) -> ComparisonFinished:
    """Let every report hear the comparison; Ctrl-C while one is busy is handed to it."""
    happening = next(happenings)
    while True:
        try:
            for report in reports:
                report.handle(happening)
            if isinstance(happening, ComparisonFinished):
                return happening
            happening = next(happenings)
        except KeyboardInterrupt as interrupt:
            happening = happenings.throw(interrupt)


def _prune() -> int:
    count, size = prune()
    sys.stdout.write(f"removed {count} environments ({size / 1e6:.0f} MB) from {cache_folder()}\n")
    return 0
