"""``harness import``: other tools' recordings become cassettes, a stored trace a scenario.

recordings.py writes cassettes, draft.py the scenarios drafted of them, trace.py the scenario of a
trace.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli import options as shared
from harness.cli.output import totals, warn
from harness.errors import InputError
from harness.reports.files import json_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from harness.cassettes.importing.files import SkippedFile
    from harness.cli.import_.recordings import Written

SUMMARY = "convert other tools' recordings to cassettes, and stored traces to scenarios"
EXAMPLES = (
    "harness import tests/cassettes --draft",
    "harness import session.har body.sse --protocol openai_chat",
    "harness import 'trace:sqlite:///traces.sqlite3#step_7'",
    "harness import 'trace:postgresql://me@db/traces#9f2c' --out incident",
)
_IMPORTED, _UNSUPPORTED, _SKIPPED, _BAD_INPUT = (
    "imported",
    "imported without a supported protocol",
    "skipped",
    "bad input",
)
_TRACE = "trace:"
_PROGRESS_EVERY = 25  # files
_LINE_START = "\r"  # overwrites the last progress line


def options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options and arguments."""
    parser.add_argument(
        "sources",
        nargs="+",
        metavar="PATH",
        help="recording or folder of recordings, or trace:DSN#ID for a stored trace",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="folder whose cassettes/ and scenarios/ are written (default: the current one)",
    )
    parser.add_argument(
        "--draft",
        action="store_true",
        help="also write a draft scenario per exchange; its requirements are left open",
    )
    shared.add_protocol(parser)
    parser.add_argument("--force", action="store_true", help="overwrite existing files")
    shared.add_json(parser, "one JSON line per source")


def main(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    if arguments.protocol is not None:
        from harness.protocols import protocol

        protocol(arguments.protocol)
    counts: Counter[str] = Counter()
    for result in _results(arguments):
        counts[_print(result, as_json=arguments.json)] += 1
        _show_progress(counts.total())
    sys.stderr.write(f"{_LINE_START if _shows_progress() else ''}{totals(counts)}\n")
    return 2 if counts[_BAD_INPUT] else 0


def _results(arguments: argparse.Namespace) -> Iterator[Written | SkippedFile | InputError]:
    """Yield what each source became, in the order they were named."""
    from harness.cli.import_.recordings import import_recordings

    for source in arguments.sources:
        if source.startswith(_TRACE):
            yield _import_trace(source, arguments)
        else:
            yield from import_recordings(
                Path(source),
                arguments.out,
                arguments.protocol,
                drafts=arguments.draft,
                force=arguments.force,
            )


def _import_trace(source: str, arguments: argparse.Namespace) -> Written | InputError:
    from harness.cli.import_.recordings import Written
    from harness.cli.import_.trace import import_trace

    try:
        address = source.removeprefix(_TRACE)
        return Written(source, import_trace(address, arguments.out, force=arguments.force))
    except InputError as error:
        return error


def _print(result: Written | SkippedFile | InputError, *, as_json: bool) -> str:
    """Print what a source became, and return the name it is counted under."""
    from harness.cassettes.importing.files import SkippedFile

    if isinstance(result, InputError):
        warn(result)
        return _BAD_INPUT
    if isinstance(result, SkippedFile):
        warn(f"{result.path}: skipped, unrecognised recording format")
        return _SKIPPED
    sys.stdout.write(f"{json_text(_entry(result)) if as_json else _line(result)}\n")
    return _UNSUPPORTED if result.unsupported else _IMPORTED


def _entry(written: Written) -> dict[str, object]:
    return {
        "source": written.source,
        "wrote": str(written.path),
        "protocols": list(written.protocols),
        "drafts": [str(path) for path in written.drafts],
        "masked": written.masked,
    }


def _line(written: Written) -> str:
    protocols = dict.fromkeys(
        exchange.protocol if known else f"({exchange.protocol})"
        for exchange, known in zip(written.exchanges, written.protocols, strict=True)
    )
    words = [str(written.path), *protocols, *map(str, written.drafts)]
    secrets = [f"(secrets masked: {written.masked})"] if written.masked else []
    return " ".join([*words, *secrets])


def _show_progress(files: int) -> None:
    if _shows_progress() and files % _PROGRESS_EVERY == 0:
        sys.stderr.write(f"{_LINE_START}{files} files")
        sys.stderr.flush()


def _shows_progress() -> bool:
    """Whether a person watches who does not see the output."""
    return sys.stderr.isatty() and not sys.stdout.isatty()
