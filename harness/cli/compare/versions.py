"""``harness compare --versions PACKAGE:LOW..HIGH``: the first version with each difference."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

from harness.cli.options import recording_folders
from harness.cli.output import INTERRUPTED, show_progress, warn
from harness.comparing.events import Progress, UnusableInput
from harness.comparing.streams import Sample, select_streams
from harness.comparing.version_bisect import VersionMatrix, bisect_versions
from harness.errors import InputError
from harness.reports.comparing.matrix import finding_data, matrix
from harness.reports.files import json_text, painted
from harness.scenarios import scenario_root
from harness.targets.addresses import in_environment
from harness.targets.releases import range_of, releases

if TYPE_CHECKING:
    import argparse
    from collections.abc import Generator

    from harness.comparing.version_bisect import BisectEvent


def search_versions(arguments: argparse.Namespace) -> int:
    """Search a range of versions, print the matrix, return the exit code.

    Raises:
        InputError: an option is given that needs two sides, or an argument is not valid.
    """
    if arguments.report or arguments.strict:
        message = "--versions supports neither --report nor --strict; use --json, or name two sides"
        raise InputError(message)
    wanted = range_of(arguments.versions)
    streams, errors = select_streams(
        scenario_root(arguments.scenarios),
        recording_folders(arguments.corpus),
        arguments.names,
        Sample(arguments.fuzz, arguments.seed),
    )
    for error in errors:
        warn(error)
    labels = [f"{wanted.package}=={version}" for version in releases(wanted, arguments.every)]
    sides = [(label, in_environment(label, arguments.target)) for label in labels]
    found = _run(bisect_versions(streams, arguments.target, sides, arguments.timeout))
    if arguments.json:
        sys.stdout.write("".join(f"{json_text(finding_data(one))}\n" for one in found.findings))
        sys.stdout.write(f"{json_text({'summary': _summary(found)})}\n")
    else:
        _print(found, f"harness compare {{}} --target {shlex.quote(arguments.target)}")
    return exit_code(found, bad_input=bool(errors))


def exit_code(found: VersionMatrix, *, bad_input: bool) -> int:
    """Return the exit code of a search; ``bad_input`` says that a file could not be used."""
    if found.interrupted:
        return INTERRUPTED
    if bad_input or found.unusable:
        return 2
    return 1 if any(one.group.category == "requirement violated" for one in found.findings) else 0


def _summary(found: VersionMatrix) -> dict[str, object]:
    return {
        "target": found.target,
        "versions": list(found.versions),
        "replayed": list(found.replayed),
        "streams": found.streams,
        "seconds": round(found.seconds, 3),
        "unusable": found.unusable,
        "interrupted": found.interrupted,
    }


def _run(events: Generator[BisectEvent, None, None]) -> VersionMatrix:
    """Show progress and return the matrix; Ctrl-C while that is written ends the search."""
    event = next(events)
    while not isinstance(event, VersionMatrix):
        try:
            if isinstance(event, UnusableInput):
                warn(event.error)
            elif isinstance(event, Progress):
                show_progress(f"{event.message}\n")
            event = next(events)
        except KeyboardInterrupt as interrupt:
            event = events.throw(interrupt)
    return event


def _print(found: VersionMatrix, command: str) -> None:
    in_colour = sys.stdout.isatty()
    for line in matrix(found, command):
        text = painted(line.colour, line.text) if in_colour and line.colour else line.text
        sys.stdout.write(f"{text}\n")
