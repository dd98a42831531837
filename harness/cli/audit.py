"""``harness audit``: secrets, unused recordings and missing origins among recordings."""

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

    from harness.auditing import Flaw

SUMMARY = "look for secrets, unused recordings and recordings of unknown origin"
EXAMPLES = (
    "harness audit",
    "harness audit cassettes scenarios tests/conformance --json",
    "harness audit cassettes/mine --max-age 90",
)
_DEFAULT_FOLDERS = (Path("cassettes"), Path("scenarios"))
_BAD_INPUT = "bad input"


def options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options and arguments."""
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="cassettes, scenarios, snapshots, or folders of them (default: cassettes scenarios)",
    )
    parser.add_argument(
        "--scenarios",
        type=Path,
        metavar="DIR",
        help="folder of scenarios that use the recordings (default: ./scenarios)",
    )
    parser.add_argument(
        "--max-age",
        type=int,
        default=365,
        metavar="DAYS",
        help="warn about recordings older than DAYS (default: 365)",
    )
    shared.add_json(parser, "one JSON line per finding")


def main(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from harness.auditing import Audit
    from harness.scenarios import scenario_root

    paths = arguments.paths or [path for path in _DEFAULT_FOLDERS if path.is_dir()]
    if not paths:
        raise InputError("there is no ./cassettes and no ./scenarios; name what to audit")
    audit = Audit(scenario_root(arguments.scenarios), arguments.max_age)
    counts: Counter[str] = Counter()
    for found in audit.flaws(paths):
        if isinstance(found, InputError):
            warn(found)
            counts[_BAD_INPUT] += 1
        else:
            sys.stdout.write(f"{_line(found, as_json=arguments.json)}\n")
            counts[found.kind] += 1
    sys.stderr.write(f"{totals(counts)}\n")
    return 2 if counts.pop(_BAD_INPUT, 0) and not counts else 1 if counts else 0


def _line(flaw: Flaw, *, as_json: bool) -> str:
    if as_json:
        return json_text({**flaw._asdict(), "path": str(flaw.path)})
    return str(flaw)
