"""``harness serve``: the loopback provider, for any client in any language."""

from __future__ import annotations

import sys
import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from harness.engine.selection import select_scenarios
from harness.errors import InputError
from harness.playback.response_registry import ResponseRegistry
from harness.playback.server import serving
from harness.scenarios import scenario_root

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator


def main(arguments: argparse.Namespace) -> int:
    """Serve every scenario under its id until Ctrl-C."""
    scenarios, errors = select_scenarios(scenario_root(arguments.scenarios), ())
    stage = ResponseRegistry()
    for scenario in scenarios:
        stage.put(scenario.script(), scenario.id)
    for error in errors:
        sys.stderr.write(f"harness: {error}\n")
    try:
        with _serving(stage, arguments.port) as base_url:
            sys.stdout.write(
                f"{len(scenarios)} scenarios at {base_url}; an SDK's base URL is {base_url}/ID "
                f"(OpenAI: {base_url}/ID/v1). Ctrl-C ends.\n"
            )
            sys.stdout.flush()
            threading.Event().wait()
    except KeyboardInterrupt:
        sys.stderr.write("\n")
    return 0


@contextmanager
def _serving(stage: ResponseRegistry, port: int) -> Iterator[str]:
    """Serve a stage; a port that cannot be had is the caller's to change."""
    with ExitStack() as stack:
        try:
            base_url = stack.enter_context(serving(stage, port))
        except OSError as error:
            words = f"port {port} cannot be had ({error.strerror}); name another with --port"
            raise InputError(words) from None
        yield base_url
