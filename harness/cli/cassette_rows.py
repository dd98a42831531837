"""What the commands that make cassettes and look after them take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable


def _record(command: argparse.ArgumentParser) -> None:
    command.usage = "harness record [OPTION]… -- CMD…"
    command.add_argument(
        "--cassette", type=Path, metavar="PATH", help="default: cassettes/recorded.yaml"
    )
    command.add_argument(
        "--mode",
        default="once",
        metavar="M",
        help="none, once, new_episodes, all (as vcrpy has them) or rewrite (default: once)",
    )
    command.add_argument(
        "--upstream",
        action="append",
        default=[],
        metavar="NAME=URL",
        help="stand for this server too; clients find it in NAME_BASE_URL; repeatable",
    )
    command.add_argument(
        "--recover", type=Path, metavar="JOURNAL", help="make a cassette of what a crash left"
    )
    command.add_argument(
        "--json",
        action="store_true",
        help="print one JSON document, behind what the command prints",
    )
    command.add_argument("command_line", nargs="*", metavar="CMD", help="what is to be recorded")


def _audit(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="cassettes, scenarios, snapshots, or folders of them (default: cassettes scenarios)",
    )
    command.add_argument(
        "--scenarios", type=Path, metavar="DIR", help="who may use them (default: ./scenarios)"
    )
    command.add_argument(
        "--max-age", type=int, default=365, metavar="DAYS", help="of a recording (default: 365)"
    )
    command.add_argument("--json", action="store_true", help="print one JSON line a finding")


CASSETTE_ROWS: dict[str, tuple[str, tuple[str, ...], Callable[[argparse.ArgumentParser], None]]] = {
    "record": (
        "run a command and record what its SDKs exchange with providers, scrubbed",
        (
            "harness record -- python examples/ask.py",
            "harness record --cassette cassettes/mine/chat.yaml --mode rewrite -- pytest -k chat",
            "harness record --upstream openai=http://127.0.0.1:8000/v1 -- python ask.py",
            "harness record --recover cassettes/recorded.yaml.journal",
        ),
        _record,
    ),
    "audit": (
        "look for secrets, for recordings nobody plays and for unknown origins",
        (
            "harness audit",
            "harness audit cassettes scenarios tests/conformance --json",
            "harness audit cassettes/mine --max-age 90",
        ),
        _audit,
    ),
}
