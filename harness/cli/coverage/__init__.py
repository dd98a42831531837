"""``harness coverage``: which event types and fields of the SDKs are covered.

installed.py compares the installed SDKs with grammar and scenarios, upgrade.py two sets of
requirements with each other, words.py counts what the scenarios contain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.cli import options as shared

if TYPE_CHECKING:
    import argparse

SUMMARY = "show SDK event types and fields not covered by grammar or scenarios"
EXAMPLES = (
    "harness coverage",
    "harness coverage openai_responses --all --fail-under 95",
    "harness coverage --diff openai==2.54.0 openai==3.52.0",
)


def options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options and arguments."""
    shared.add_scenarios(parser)
    parser.add_argument(
        "protocols", nargs="*", metavar="PROTOCOL", help="protocols to show (default: all)"
    )
    parser.add_argument(
        "--fail-under",
        type=float,
        default=None,
        metavar="PERCENT",
        help="exit 1 if less than PERCENT is covered",
    )
    parser.add_argument("--all", action="store_true", help="also show what is covered")
    parser.add_argument(
        "--diff",
        nargs=2,
        metavar=("A", "B"),
        help="show what an upgrade changes; A and B: requirements, a file of them, or current",
    )
    shared.add_json(parser, "one JSON line per event type or field, then the summary")


def main(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from harness.cli.coverage.words import words_in
    from harness.protocols import protocol
    from harness.scenarios import load_all, scenario_root

    for name in arguments.protocols:
        protocol(name)
    used = words_in(load_all(scenario_root(arguments.scenarios))[0])
    if arguments.diff:
        from harness.cli.coverage.upgrade import show_upgrade

        return show_upgrade(arguments, used)
    from harness.cli.coverage.installed import show_installed

    return show_installed(arguments, used)
