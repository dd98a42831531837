"""``harness list``: the scenarios; each one is linted."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from harness.cli import options as shared
from harness.cli.output import counted, warn
from harness.reports.files import json_text

if TYPE_CHECKING:
    import argparse

    from harness.scenarios import Scenario

SUMMARY = "list scenarios and lint them"
EXAMPLES = ("harness list", "harness list parallel --json")


def options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options and arguments."""
    shared.add_selection(parser)
    shared.add_json(parser, "one JSON line per scenario")


def main(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from harness.engine.selection import select_scenarios
    from harness.scenarios import scenario_root

    scenarios, errors = select_scenarios(scenario_root(arguments.scenarios), arguments.select)
    width = max((len(scenario.id) for scenario in scenarios), default=0)
    for scenario in scenarios:
        line = json_text(_entry(scenario)) if arguments.json else _line(scenario, width)
        sys.stdout.write(f"{line}\n")
    for error in errors:
        warn(error)
    sys.stderr.write(f"{counted(len(scenarios), 'scenario')}, {len(errors)} with errors\n")
    return 2 if errors else 0


def _entry(scenario: Scenario) -> dict[str, object]:
    return {
        "id": scenario.id,
        "title": scenario.title,
        "protocol": scenario.protocol,
        "order": scenario.order,
        "cases": list(scenario.cases),
        "checks": [*scenario.must, *scenario.should],
        "path": str(scenario.path),
    }


def _line(scenario: Scenario, width: int) -> str:
    return f"{scenario.id.ljust(width)}  {scenario.title}"
