"""``harness compare --versions PACKAGE:LOW..HIGH``: since which version, for each difference."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

from harness.cli.compare import folders
from harness.comparing.events import Progress, UnusableInput
from harness.comparing.streams import Sample, select_streams
from harness.comparing.version_bisect import VersionMatrix, bisect_versions
from harness.errors import InputError
from harness.reports.comparing.matrix import finding_data, matrix
from harness.reports.files import json_text, painted
from harness.scenarios import scenario_root
from harness.targets.addresses import inside
from harness.targets.releases import range_of, releases

if TYPE_CHECKING:
    import argparse
    from collections.abc import Generator

    from harness.comparing.version_bisect import BisectEvent


def show(arguments: argparse.Namespace) -> int:
    """Search a range of versions, print the matrix, return the exit code.

    Raises:
        InputError: an option is given that only two sides know.
    """
    if arguments.report or arguments.strict:
        raise InputError("--versions knows neither --report nor --strict; use --json, or two sides")
    named = range_of(arguments.versions)
    root, sample = scenario_root(arguments.scenarios), Sample(arguments.fuzz, arguments.seed)
    streams, errors = select_streams(root, folders(arguments.corpus), arguments.words, sample)
    for error in errors:
        sys.stderr.write(f"harness: {error}\n")
    versions = releases(named, arguments.every)
    labels = [f"{named.package}=={version}" for version in versions]
    sides = [(label, inside(label, arguments.target)) for label in labels]
    end = _told(bisect_versions(streams, arguments.target, sides, arguments.timeout))
    if arguments.json:
        sys.stdout.write("".join(f"{json_text(finding_data(one))}\n" for one in end.findings))
        sys.stdout.write(f"{json_text({'summary': _summary(end)})}\n")
    else:
        _print(end, f"harness compare {{}} --target {shlex.quote(arguments.target)}")
    return exit_code(end, bad_input=bool(errors))


def exit_code(end: VersionMatrix, *, bad_input: bool) -> int:
    """Return the exit code of a matrix."""
    if end.interrupted:
        return 130
    if bad_input or end.unusable:
        return 2
    return 1 if any(one.group.category == "requirement violated" for one in end.findings) else 0


def _summary(end: VersionMatrix) -> dict[str, object]:
    return {
        "target": end.target,
        "versions": list(end.versions),
        "told": list(end.replayed),
        "streams": end.streams,
        "seconds": round(end.seconds, 3),
        "unusable": end.unusable,
        "interrupted": end.interrupted,
    }


def _told(happenings: Generator[BisectEvent, None, None]) -> VersionMatrix:
    """Show progress where somebody watches; Ctrl-C while that is written is handed on."""
    happening = next(happenings)
    while not isinstance(happening, VersionMatrix):
        try:
            if isinstance(happening, UnusableInput):
                sys.stderr.write(f"harness: {happening.error}\n")
            elif isinstance(happening, Progress) and sys.stderr.isatty():
                sys.stderr.write(f"{happening.words}\n")
            happening = next(happenings)
        except KeyboardInterrupt as interrupt:
            happening = happenings.throw(interrupt)
    return happening


def _print(end: VersionMatrix, command: str) -> None:
    colours = sys.stdout.isatty()
    for line in matrix(end, command):
        text = painted(line.colour, line.text) if colours and line.colour else line.text
        sys.stdout.write(f"{text}\n")
