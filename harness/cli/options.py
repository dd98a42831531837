"""Options that several commands share, and the types of their values.

Rules of this file: it imports nothing heavy, so that help pages stay cheap. What a word means is
decided elsewhere; words that would be heavy to import are repeated here, and
tests/cli/test_cli_words.py compares them with their source.
"""

from __future__ import annotations

import argparse
import threading
from pathlib import Path

from harness.reports import KINDS, Feature

# harness.targets.addresses.FORMS and harness.scenarios, both too heavy to import here
TARGETS = (
    "builtin",
    "builtin-sync",
    "sdk",
    "sdk-helper",
    "sdk-nonstreaming",
    "letta",
    "python:pkg.module:attr",
    "command:PROGRAM ARGUMENTS",
    "env:REQUIREMENTS!TARGET",
)
CONSUMERS = ("break", "aclose", "cancel", "timeout", "throw", "every", "full_stack")
_MAX_PORT = 65535


def seconds(text: str) -> float:
    """Return a positive number of seconds.

    Raises:
        ArgumentTypeError: it is not positive, or too large to wait for.
        ValueError: it is not a number.
    """
    number = float(text)
    if not 0 < number < threading.TIMEOUT_MAX:
        raise argparse.ArgumentTypeError(f"{text} must be a positive number of seconds")
    return number


def port(text: str) -> int:
    """Return a TCP port; 0 takes a free one.

    Raises:
        ArgumentTypeError: it is out of range.
        ValueError: it is not a number.
    """
    number = int(text)
    if not 0 <= number <= _MAX_PORT:
        raise argparse.ArgumentTypeError(f"{text} must be a port from 0 to {_MAX_PORT}")
    return number


def count(text: str) -> int:
    """Return a number of at least 1.

    Raises:
        ArgumentTypeError: it is less than 1.
        ValueError: it is not a number.
    """
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} must be 1 or greater")
    return number


def add_scenarios(parser: argparse.ArgumentParser) -> None:
    """Add ``--scenarios``."""
    parser.add_argument(
        "--scenarios",
        type=Path,
        metavar="DIR",
        help="folder of scenarios (default: ./scenarios, or else the bundled ones)",
    )


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Add the positional selectors and ``--scenarios``."""
    parser.add_argument(
        "select",
        nargs="*",
        metavar="SELECT",
        help="scenarios to use: a glob over ids, or a word of their path (default: all)",
    )
    add_scenarios(parser)


def add_json(parser: argparse.ArgumentParser, what: str) -> None:
    """Add ``--json``, which prints ``what`` instead of text."""
    parser.add_argument("--json", action="store_true", help=f"print {what}")


def add_target(parser: argparse.ArgumentParser, *, repeatable: bool = False) -> None:
    """Add ``--target``, once or several times."""
    text = f"streaming interface under test: {any_of(TARGETS)} (default: builtin)"
    if repeatable:
        parser.add_argument("--target", action="append", metavar="T", help=f"{text}; repeatable")
    else:
        parser.add_argument("--target", default="builtin", metavar="T", help=text)


def add_reports(parser: argparse.ArgumentParser, feature: Feature = "run") -> None:
    """Add ``--report``."""
    parser.add_argument(
        "--report",
        action="append",
        metavar="KIND[=PATH]",
        help=f"{any_of(KINDS[feature])} (default: terminal); repeatable",
    )


def add_timeout(parser: argparse.ArgumentParser, default: float, per: str = "stream") -> None:
    """Add ``--timeout`` in seconds."""
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=default,
        metavar="S",
        help=f"seconds per {per} (default: {default:g})",
    )


def add_workers(parser: argparse.ArgumentParser) -> None:
    """Add the options for several processes and for a cluster."""
    parser.add_argument(
        "--workers",
        type=count,
        default=1,
        metavar="N",
        help="number of worker processes (default: 1)",
    )
    parser.add_argument(
        "--cluster",
        metavar="URL",
        help="run on the workers of this Dask scheduler: tcp://HOST:PORT",
    )


def add_recordings(parser: argparse.ArgumentParser) -> None:
    """Add the positional recordings and ``--protocol``."""
    parser.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="response body, cassette, or folder of them (metadata of NAME.sse is in NAME.json)",
    )
    add_protocol(parser)


def add_protocol(parser: argparse.ArgumentParser) -> None:
    """Add ``--protocol``."""
    parser.add_argument(
        "--protocol", metavar="P", help="protocol to assume where it cannot be detected"
    )


def add_port(parser: argparse.ArgumentParser, default: int) -> None:
    """Add ``--port``."""
    text = "0, any free port" if default == 0 else f"{default}; 0 takes any free port"
    parser.add_argument(
        "--port", type=port, default=default, metavar="N", help=f"port (default: {text})"
    )


def any_of(words: tuple[str, ...]) -> str:
    """Return words as a list in a sentence."""
    return f"{', '.join(words[:-1])} or {words[-1]}"


def recording_folders(named: list[Path]) -> list[Path]:
    """Return the folders of recordings: ``./cassettes`` if it exists, and those that are named."""
    cassettes = Path("cassettes")
    return [*([cassettes] if cassettes.is_dir() else []), *named]
