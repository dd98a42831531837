"""``harness serve``: the loopback provider, for any client in any language."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

from harness.cli.places import scenario_root
from harness.replay.server import serving
from harness.replay.stage import Stage
from harness.runner.plan import gather

if TYPE_CHECKING:
    import argparse


def main(arguments: argparse.Namespace) -> int:
    """Serve every scenario under its id until Ctrl-C."""
    scenarios, errors = gather(scenario_root(arguments.scenarios), ())
    stage = Stage()
    for scenario in scenarios:
        stage.put(scenario.script(), scenario.id)
    for error in errors:
        sys.stderr.write(f"harness: {error}\n")
    with serving(stage, arguments.port) as base_url:
        sys.stdout.write(
            f"{len(scenarios)} scenarios at {base_url}; an SDK's base URL is {base_url}/ID "
            f"(OpenAI: {base_url}/ID/v1). Ctrl-C ends.\n"
        )
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            sys.stderr.write("\n")
    return 0
