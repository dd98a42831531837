"""``harness import``: recordings of others become cassettes, and a stored trace a scenario."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

from harness.cli.import_trace import SCHEME, import_trace
from harness.errors import InputError
from harness.protocols import protocol as protocol_named
from harness.reports.files import json_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from pathlib import Path

_IMPORTED, _BAD = "imported", "bad input"


def main(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    if arguments.protocol is not None:
        protocol_named(arguments.protocol)
    counts: Counter[str] = Counter()
    for source in arguments.sources:
        try:
            for path in _import(source, arguments):
                _say(source, path, as_json=arguments.json)
                counts[_IMPORTED] += 1
        except InputError as error:
            sys.stderr.write(f"harness: {error}\n")
            counts[_BAD] += 1
    sys.stderr.write(", ".join(f"{n} {word}" for word, n in sorted(counts.items())) + "\n")
    return 2 if counts[_BAD] else 0


def _import(source: str, arguments: argparse.Namespace) -> Iterator[Path]:
    if source.startswith(SCHEME):
        return import_trace(source, arguments.out, force=arguments.force)
    raise InputError("no trace:DSN#ID", path=source)


def _say(source: str, path: Path, *, as_json: bool) -> None:
    line = json_text({"source": source, "wrote": str(path)}) if as_json else str(path)
    sys.stdout.write(f"{line}\n")
