"""``harness record``: run a command and record what its SDKs exchange with providers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from harness.cassettes.recorder.session import Recording, recover
from harness.errors import InputError
from harness.reports.files import json_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

_CASSETTE = Path("cassettes/recorded.yaml")
_NOT_FOUND, _NOT_STARTED = 127, 126  # as shells have it
_TERMINATED = 128 + signal.SIGTERM


def main(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code, or 1 if it was well but something was missed."""
    if arguments.recover is not None:
        return _recover(arguments)
    if not arguments.command_line:
        raise InputError("nothing to run; write the command behind --, as in -- python ask.py")
    recording = Recording(
        arguments.cassette or _CASSETTE,
        arguments.mode,
        upstream=arguments.upstream,
        command=" ".join(arguments.command_line),
    )
    signal.signal(signal.SIGTERM, _stop)
    try:
        with recording:
            code = _run(arguments.command_line, recording.environment())
    finally:
        _report(recording, as_json=arguments.json)
    return code or bool(recording.summary.missed)


def _recover(arguments: argparse.Namespace) -> int:
    count = recover(arguments.recover, arguments.cassette)
    sys.stderr.write(f"harness: {count} exchanges recovered\n")
    return 0


def _run(command: list[str], environment: dict[str, str]) -> int:
    try:
        return subprocess.call(command, env={**os.environ, **environment})  # noqa: S603 - the user's own
    except FileNotFoundError:
        sys.stderr.write(f"harness: {command[0]}: command not found\n")
        return _NOT_FOUND
    except OSError as error:
        sys.stderr.write(f"harness: {command[0]}: {error.strerror}\n")
        return _NOT_STARTED


def _stop(*_: object) -> NoReturn:
    """End as if the command had: what was recorded is kept."""
    raise SystemExit(_TERMINATED)


def _report(recording: Recording, *, as_json: bool) -> None:
    if as_json:
        data = {"cassette": str(recording.path), **asdict(recording.summary)}
        sys.stdout.write(f"{json_text(data)}\n")
    else:
        sys.stderr.writelines(f"harness: {line}\n" for line in _lines(recording))


def _lines(recording: Recording) -> Iterator[str]:
    summary = recording.summary
    yield from dict.fromkeys(summary.missed)
    yield f"{recording.path}: {summary.recorded} recorded, {summary.played} played"
    if summary.masked:
        yield "masked: " + ", ".join(f"{n} {name}" for name, n in summary.masked.most_common())
