"""``harness list``: what scenarios there are; every one is linted on the way."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from harness.engine.selection import select_scenarios
from harness.reports.files import json_text
from harness.scenarios import scenario_root

if TYPE_CHECKING:
    import argparse

    from harness.scenarios import Scenario


def main(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    scenarios, errors = select_scenarios(scenario_root(arguments.scenarios), arguments.select)
    width = max((len(scenario.id) for scenario in scenarios), default=0)
    for scenario in scenarios:
        line = json_text(_entry(scenario)) if arguments.json else _line(scenario, width)
        sys.stdout.write(f"{line}\n")
    for error in errors:
        sys.stderr.write(f"harness: {error}\n")
    sys.stderr.write(f"{len(scenarios)} scenarios, {len(errors)} with errors\n")
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
