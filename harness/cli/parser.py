"""The commands, and one parser for all of them. Imports nothing heavy."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DISTRIBUTION = "llm-stream-harness"


class Command(Protocol):
    """What the module of a command holds; ``main`` imports what is heavy."""

    @property
    def SUMMARY(self) -> str:  # noqa: N802 - a constant of the module
        """What the command does, as a phrase."""

    @property
    def EXAMPLES(self) -> tuple[str, ...]:  # noqa: N802 - the same
        """Command lines that work as they are printed."""

    def options(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's options and arguments."""

    def main(self, arguments: argparse.Namespace) -> int:
        """Run the command and return its exit code."""


class _Commands(Mapping[str, Command]):
    """The commands by name, in the order of the help page; each is imported when it is used."""

    _MODULES: Mapping[str, str] = {
        "run": "run",
        "list": "list_",
        "explain": "explain",
        "replay": "replay",
        "check": "check",
        "import": "import_",
        "compare": "compare",
        "fuzz": "fuzz",
        "record": "record",
        "audit": "audit",
        "coverage": "coverage",
        "serve": "serve",
        "demo": "demo",
    }

    def __getitem__(self, name: str) -> Command:
        """Import and return a command."""
        command: Command = import_module(f".{self._MODULES[name]}", __package__)
        return command

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(self._MODULES)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._MODULES)


COMMANDS = _Commands()


def make_parser(only: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of all commands.

    Args:
        only: the name of the one command that is given, whose module alone is imported then.
    """
    parser = argparse.ArgumentParser(
        prog="harness",
        description="Replay LLM provider streams through the real SDKs into streaming interfaces, "
        "and check the result.",
        epilog="Exit codes: 0 all requirements hold; 1 a requirement is violated; 2 bad usage or "
        "bad input; 3 the harness itself failed.",
    )
    parser.add_argument("--version", action=_Version, help="show the version and exit")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS if only is None else (only,):
        command = COMMANDS[name]
        summary = command.SUMMARY
        subparser = commands.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            epilog="examples:\n" + "\n".join(f"  {example}" for example in command.EXAMPLES),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.options(subparser)
    return parser


class _Version(argparse.Action):
    """Print the installed version; it is looked up only when it is asked for."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str) -> None:  # noqa: A002 - argparse names it
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from importlib.metadata import PackageNotFoundError, version

        try:
            number = version(DISTRIBUTION)
        except PackageNotFoundError:
            number = "(not installed)"
        sys.stdout.write(f"{DISTRIBUTION} {number}\n")
        parser.exit()
