"""``harness compare A B``: the same streams under two sets of requirements."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from harness.cli.options import recording_folders
from harness.cli.output import INTERRUPTED, deliver, make_reports
from harness.comparing.comparison import Settings, compare
from harness.comparing.streams import Sample, select_streams
from harness.errors import InputError
from harness.scenarios import scenario_root
from harness.targets.addresses import check_form, environment_of, in_environment

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from harness.comparing.events import ComparisonFinished

_SIDES = 2


def compare_sides(arguments: argparse.Namespace) -> int:
    """Compare two sides and return the exit code.

    Raises:
        InputError: there are no two sides, or an argument is not valid.
    """
    selectors, sides = _split(arguments.names)
    settings = Settings(
        target=arguments.target,
        sides=tuple((label, in_environment(label, arguments.target)) for label in sides),
        command=_command(arguments, sides),
        timeout=arguments.timeout,
        vocabulary=arguments.strict,
    )
    for _, address in settings.sides:
        check_form(environment_of(address).target)
    reports = make_reports(arguments, "compare")
    root = scenario_root(arguments.scenarios)
    sample = Sample(arguments.fuzz, arguments.seed)
    folders = recording_folders(arguments.corpus)
    streams, errors = select_streams(root, folders, selectors, sample)
    ended: ComparisonFinished = deliver(compare(streams, settings, errors), reports)
    return exit_code(ended)


def exit_code(ended: ComparisonFinished) -> int:
    """Return the exit code of a comparison."""
    if ended.interrupted:
        return INTERRUPTED
    if ended.unusable or not ended.compared:
        return 2
    return 1 if ended.counts["requirement violated"] or ended.unclassified else 0


def _split(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the selectors and the two sides."""
    if len(names) < _SIDES:
        raise InputError(
            "name two sides, e.g. harness compare openai==2.54.0 openai==3.52.0, or current"
        )
    return list(names[:-_SIDES]), list(names[-_SIDES:])


def _command(arguments: argparse.Namespace, sides: Sequence[str]) -> str:
    """Return the command that compares these sides, with ``{}`` for the selectors."""
    options = ["--target", arguments.target]
    for folder in arguments.corpus:
        options += ["--corpus", str(folder)]
    if arguments.fuzz:
        options += ["--fuzz", str(arguments.fuzz), "--seed", str(arguments.seed)]
    if arguments.scenarios is not None:
        options += ["--scenarios", str(arguments.scenarios)]
    quoted = shlex.join([*sides, *options]).replace("{", "{{").replace("}", "}}")
    return f"harness compare {{}} {quoted}"
