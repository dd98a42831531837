"""``harness check``: is this recorded stream legal? One sentence a violation."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

from harness.errors import InputError
from harness.playback.recordings import LeftOut, Recording, recordings
from harness.protocols import protocol as protocol_named
from harness.reports.files import json_text

if TYPE_CHECKING:
    import argparse

    from harness.protocols.grammar import Violation

_ERROR_STATUS = 300  # from here on a body is no stream


def main(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    if arguments.protocol is not None:
        protocol_named(arguments.protocol)
    counts: Counter[str] = Counter()
    for found in recordings(arguments.paths, arguments.protocol):
        counts[_one(found, arguments)] += 1
    sys.stderr.write(", ".join(f"{n} {word}" for word, n in sorted(counts.items())) + "\n")
    return 1 if counts[_ILLEGAL] else 2 if counts[_BAD] else 0


_ILLEGAL, _BAD = "illegal", "bad input"


def _one(found: Recording | LeftOut | InputError, arguments: argparse.Namespace) -> str:
    """Judge one recording, print what is wrong, and return the word it is counted under."""
    if isinstance(found, LeftOut):
        return "left out (another protocol)"
    try:
        if isinstance(found, InputError):
            raise found
        if found.status >= _ERROR_STATUS:
            return "no stream (an HTTP error)"
        violations = protocol_named(found.protocol).violations(found.events())
    except InputError as error:
        sys.stderr.write(f"harness: {error}\n")
        return _BAD
    broken = [v for v in violations if v.severity == "violation"]
    if arguments.json:
        sys.stdout.write(f"{json_text(_entry(found, violations))}\n")
    else:
        for violation in violations if arguments.open else broken:
            sys.stdout.write(f"{found.name}: {_word(violation)}{violation.sentence}\n")
    return _ILLEGAL if broken else "legal"


def _word(violation: Violation) -> str:
    return "open: " if violation.severity == "open" else ""


def _entry(recording: Recording, violations: list[Violation]) -> dict[str, object]:
    return {
        "name": recording.name,
        "protocol": recording.protocol,
        "provider": recording.provider,
        "fidelity": recording.fidelity,
        "violations": [v.sentence for v in violations if v.severity == "violation"],
        "open": [v.sentence for v in violations if v.severity == "open"],
    }
