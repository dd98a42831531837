"""``harness check``: whether recorded streams are legal; one sentence per violation."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

from harness.cli import options as shared
from harness.cli.output import totals, warn
from harness.errors import InputError
from harness.reports.files import json_text

if TYPE_CHECKING:
    import argparse

    from harness.playback.recordings import Recording, SkippedRecording
    from harness.protocols.grammar import Violation

SUMMARY = "check whether recorded streams follow their protocol's event order"
EXAMPLES = (
    "harness check recording.sse",
    "harness check cassettes --json",
    "harness check recordings/ --protocol openai_chat --open",
)
_ERROR_STATUS = 300  # from this HTTP status on a body is not a stream
_ILLEGAL, _BAD_INPUT = "illegal", "bad input"


def options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options and arguments."""
    shared.add_recordings(parser)
    parser.add_argument(
        "--open",
        action="store_true",
        help="also show events whose order is undecided in the provider's documentation",
    )
    shared.add_json(parser, "one JSON line per recording")


def main(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from harness.playback.recordings import recordings
    from harness.protocols import protocol

    if arguments.protocol is not None:
        protocol(arguments.protocol)
    counts: Counter[str] = Counter()
    for found in recordings(arguments.paths, arguments.protocol):
        counts[_check(found, arguments)] += 1
    sys.stderr.write(f"{totals(counts)}\n")
    return 1 if counts[_ILLEGAL] else 2 if counts[_BAD_INPUT] else 0


def _check(found: Recording | SkippedRecording | InputError, arguments: argparse.Namespace) -> str:
    """Check one recording, print its violations, and return the name it is counted under."""
    from harness.playback.recordings import SkippedRecording
    from harness.protocols import protocol

    if isinstance(found, SkippedRecording):
        return "skipped (another protocol)"
    try:
        if isinstance(found, InputError):
            raise found
        if found.status >= _ERROR_STATUS:
            return "not a stream (an HTTP error)"
        violations = protocol(found.protocol).violations(found.events())
    except InputError as error:
        warn(error)
        return _BAD_INPUT
    illegal = [violation for violation in violations if violation.severity == "violation"]
    if arguments.json:
        sys.stdout.write(f"{json_text(_entry(found, violations))}\n")
    else:
        for violation in violations if arguments.open else illegal:
            prefix = "open: " if violation.severity == "open" else ""
            sys.stdout.write(f"{found.name}: {prefix}{violation.sentence}\n")
    return _ILLEGAL if illegal else "legal"


def _entry(recording: Recording, violations: list[Violation]) -> dict[str, object]:
    return {
        "name": recording.name,
        "protocol": recording.protocol,
        "provider": recording.provider,
        "fidelity": recording.fidelity,
        "violations": [v.sentence for v in violations if v.severity == "violation"],
        "open": [v.sentence for v in violations if v.severity == "open"],
    }
