"""``harness compare``: the upgrade check.

sides.py compares two sets of requirements, versions.py searches a range of versions.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli import options as shared
from harness.cli.output import counted

if TYPE_CHECKING:
    import argparse

SUMMARY = "replay the same streams under two SDK versions and classify the differences"
EXAMPLES = (
    "harness compare openai==2.54.0 openai==3.52.0",
    "harness compare openai_chat/tools current ./requirements-new.txt --target sdk",
    "harness compare current anthropic==2.12.0 --target python:my.app:listen --strict",
    "harness compare openai_chat --versions openai:2.0..3.52 --every minor",
    "harness compare --prune",
)


def options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options and arguments."""
    parser.add_argument(
        "names",
        nargs="*",
        metavar="[SELECT…] A B",
        help="the streams to replay, as globs or words of their names (default: all); then two "
        "sides. A side is requirements (openai==2.54.0,httpx), a requirements file "
        "(./requirements.txt), current, or a target",
    )
    shared.add_scenarios(parser)
    shared.add_target(parser)
    parser.add_argument(
        "--corpus",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="also replay the recordings of this folder, besides ./cassettes; repeatable",
    )
    parser.add_argument(
        "--fuzz",
        type=int,
        default=0,
        metavar="N",
        help="also replay N generated streams per protocol",
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="random seed of --fuzz (default: 0)"
    )
    shared.add_reports(parser, "compare")
    parser.add_argument(
        "--strict",
        action="store_true",
        help="exit 1 if B adds event types or fields that the grammar does not cover",
    )
    parser.add_argument(
        "--versions",
        metavar="PACKAGE:LOW..HIGH",
        help="instead of A and B: find the first version that shows each difference",
    )
    parser.add_argument(
        "--every",
        default="minor",
        metavar="STEP",
        help="major, minor or patch: which of --versions to try (default: minor)",
    )
    shared.add_timeout(parser, 20.0, per="reply")
    parser.add_argument("--verbose", action="store_true", help="show every group in full")
    parser.add_argument("--prune", action="store_true", help="remove all cached environments")
    shared.add_json(parser, "one JSON line per group, then the summary")


def main(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    if arguments.prune:
        return _prune()
    if arguments.versions is not None:
        from harness.cli.compare.versions import search_versions

        return search_versions(arguments)
    from harness.cli.compare.sides import compare_sides

    return compare_sides(arguments)


def _prune() -> int:
    from harness.targets.environments import cache_folder, prune

    count, size = prune()
    removed = f"{counted(count, 'environment')} ({size / 1e6:.0f} MB)"
    sys.stdout.write(f"removed {removed} from {cache_folder()}\n")
    return 0
