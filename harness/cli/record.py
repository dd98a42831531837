"""``harness record``: run a command and record its SDKs' traffic with providers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from harness.cli import options as shared
from harness.cli.output import counted, warn
from harness.errors import InputError
from harness.reports.files import json_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from harness.cassettes.recorder.session import Recording

SUMMARY = "run a command and record its SDKs' traffic with providers, scrubbed"
EXAMPLES = (
    "harness record -- python examples/ask.py",
    "harness record --cassette cassettes/mine/chat.yaml --mode rewrite -- pytest -k chat",
    "harness record --upstream openai=http://127.0.0.1:8000/v1 -- python ask.py",
    "harness record --recover cassettes/recorded.yaml.journal",
)
_CASSETTE = Path("cassettes/recorded.yaml")
_NOT_FOUND, _NOT_STARTED = 127, 126  # as shells report them
_TERMINATED = 128 + signal.SIGTERM


def options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options and arguments."""
    parser.usage = "harness record [OPTION]… -- CMD…"
    parser.add_argument(
        "--cassette", type=Path, metavar="PATH", help=f"file to write (default: {_CASSETTE})"
    )
    parser.add_argument(
        "--mode",
        default="once",
        metavar="M",
        help="none, once, new_episodes or all (as in vcrpy), or rewrite (default: once)",
    )
    parser.add_argument(
        "--upstream",
        action="append",
        default=[],
        metavar="NAME=URL",
        help="record this server too; clients find the recorder in NAME_BASE_URL; repeatable",
    )
    parser.add_argument(
        "--recover", type=Path, metavar="JOURNAL", help="rebuild a cassette from a crash journal"
    )
    shared.add_json(parser, "one JSON document, after the command's own output")
    parser.add_argument("command_line", nargs="*", metavar="CMD", help="command to record")


def main(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code, or 1 if it succeeded but a request was missed."""
    from harness.cassettes.recorder.session import Recording

    if arguments.recover is not None:
        return _recover(arguments)
    if not arguments.command_line:
        raise InputError("there is no command to run; write it after --, as in -- python ask.py")
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
    from harness.cassettes.recorder.session import recover

    count = recover(arguments.recover, arguments.cassette)
    warn(f"{counted(count, 'exchange')} recovered")
    return 0


def _run(command: list[str], environment: dict[str, str]) -> int:
    try:
        return subprocess.call(command, env={**os.environ, **environment})  # noqa: S603 - the user's own
    except FileNotFoundError:
        warn(f"{command[0]}: command not found")
        return _NOT_FOUND
    except OSError as error:
        warn(f"{command[0]}: {error.strerror}")
        return _NOT_STARTED


def _stop(*_: object) -> NoReturn:
    """End as if the command had ended, so that the cassette is written."""
    raise SystemExit(_TERMINATED)


def _report(recording: Recording, *, as_json: bool) -> None:
    if as_json:
        data = {"cassette": str(recording.path), **asdict(recording.summary)}
        sys.stdout.write(f"{json_text(data)}\n")
    else:
        for line in _lines(recording):
            warn(line)


def _lines(recording: Recording) -> Iterator[str]:
    summary = recording.summary
    yield from dict.fromkeys(summary.missed)
    yield f"{recording.path}: {summary.recorded} recorded, {summary.played} replayed"
    if summary.masked:
        yield "masked: " + ", ".join(f"{n} {name}" for name, n in summary.masked.most_common())
