"""``harness serve``: the mock provider, for any client in any language."""

from __future__ import annotations

import sys
import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from harness.cli import options as shared
from harness.cli.output import counted, warn
from harness.errors import InputError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from harness.playback.response_registry import ResponseRegistry

SUMMARY = "serve the mock provider on 127.0.0.1"
EXAMPLES = (
    "harness serve --port 8080",
    "curl -N -d '{}' http://127.0.0.1:8080/openai_chat/baseline/text/v1/chat/completions",
)


def options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options and arguments."""
    shared.add_scenarios(parser)
    shared.add_port(parser, 0)


def main(arguments: argparse.Namespace) -> int:
    """Serve every scenario under its id until Ctrl-C."""
    from harness.engine.selection import select_scenarios
    from harness.playback.response_registry import ResponseRegistry
    from harness.scenarios import scenario_root

    scenarios, errors = select_scenarios(scenario_root(arguments.scenarios), ())
    registry = ResponseRegistry()
    for scenario in scenarios:
        registry.register(scenario.script(), scenario.id)
    for error in errors:
        warn(error)
    try:
        with _serving(registry, arguments.port) as base_url:
            sys.stdout.write(
                f"{counted(len(scenarios), 'scenario')} at {base_url}; "
                f"an SDK's base URL is {base_url}/ID (OpenAI: {base_url}/ID/v1). "
                "Press Ctrl-C to stop.\n"
            )
            sys.stdout.flush()
            threading.Event().wait()
    except KeyboardInterrupt:
        sys.stderr.write("\n")
    return 0


@contextmanager
def _serving(registry: ResponseRegistry, port: int) -> Iterator[str]:
    """Serve the registered responses; a port that is taken is an error of the caller."""
    from harness.playback.server import serving

    with ExitStack() as stack:
        try:
            base_url = stack.enter_context(serving(registry, port))
        except OSError as error:
            message = f"cannot listen on port {port} ({error.strerror}); name another with --port"
            raise InputError(message) from None
        yield base_url
