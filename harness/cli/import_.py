"""``harness import``: recordings of others become cassettes, and a stored trace a scenario."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cassettes.importing.walking import PassedOver
from harness.cli.import_recordings import Written, import_recordings
from harness.cli.import_trace import SCHEME, import_trace
from harness.errors import InputError
from harness.playback.recordings import Recording
from harness.protocols import protocol as protocol_named
from harness.reports.files import json_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

_IMPORTED, _UNSPOKEN, _PASSED, _BAD = (
    "imported",
    "imported without a protocol spoken here",
    "passed over",
    "bad input",
)
_SHOWN_EVERY = 25  # files between two signs of life
_LINE_START = "\r"  # over the last sign of life


def main(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    if arguments.protocol is not None:
        protocol_named(arguments.protocol)
    counts: Counter[str] = Counter()
    for became in _became(arguments):
        counts[_tell(became, as_json=arguments.json)] += 1
        _show_life(counts)
    summary = ", ".join(f"{n} {word}" for word, n in sorted(counts.items()))
    sys.stderr.write(f"{_LINE_START if _alive() else ''}{summary}\n")
    return 2 if counts[_BAD] else 0


def _became(arguments: argparse.Namespace) -> Iterator[Written | PassedOver | InputError]:
    """Yield what each source became, in the order they were named."""
    for source in arguments.sources:
        if source.startswith(SCHEME):
            yield _trace(source, arguments)
        else:
            yield from import_recordings(
                Path(source),
                arguments.out,
                arguments.protocol,
                drafts=arguments.draft,
                force=arguments.force,
            )


def _trace(source: str, arguments: argparse.Namespace) -> Written | InputError:
    try:
        return Written(source, import_trace(source, arguments.out, force=arguments.force))
    except InputError as error:
        return error


def _tell(became: Written | PassedOver | InputError, *, as_json: bool) -> str:
    """Say what a source became, and return the word it is counted under."""
    if isinstance(became, InputError):
        sys.stderr.write(f"harness: {became}\n")
        return _BAD
    if isinstance(became, PassedOver):
        sys.stderr.write(f"harness: {became.path}: passed over, in no form that is read here\n")
        return _PASSED
    sys.stdout.write(f"{json_text(_entry(became)) if as_json else _line(became)}\n")
    return _UNSPOKEN if became.unspoken else _IMPORTED


def _entry(written: Written) -> dict[str, object]:
    return {
        "source": written.source,
        "wrote": str(written.path),
        "protocols": [one.protocol if isinstance(one, Recording) else None for one in written.told],
        "drafts": [str(path) for path in written.drafts],
        "masked": written.masked,
    }


def _line(written: Written) -> str:
    spoken = (
        one.protocol if isinstance(one, Recording) else f"({one.protocol})" for one in written.told
    )
    words = [str(written.path), *dict.fromkeys(spoken), *map(str, written.drafts)]
    secrets = [f"(secrets masked: {written.masked})"] if written.masked else []
    return " ".join([*words, *secrets])


def _show_life(counts: Counter[str]) -> None:
    done = counts.total()
    if _alive() and done % _SHOWN_EVERY == 0:
        sys.stderr.write(f"{_LINE_START}{done} files")
        sys.stderr.flush()


def _alive() -> bool:
    """Whether somebody watches who sees nothing else."""
    return sys.stderr.isatty() and not sys.stdout.isatty()
