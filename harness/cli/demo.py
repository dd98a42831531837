"""``harness demo``: the whole streaming system over HTTP, to be tried with curl."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from harness.cli import options as shared
from harness.cli.output import show_progress
from harness.errors import InputError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

SUMMARY = "serve the reference streaming system on 127.0.0.1, to try with curl"
EXAMPLES = (
    "harness demo",
    "harness demo --port 8080 --redis redis://127.0.0.1:6379/0",
    "harness demo --runs postgresql://me@127.0.0.1/demo --traces sqlite:///traces.sqlite3",
    "curl -N -X POST 'http://127.0.0.1:8000/v1/runs?pace=0.1'",
)


def options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options and arguments."""
    shared.add_port(parser, 8000)
    parser.add_argument(
        "--runs",
        metavar="DSN",
        help="database of runs: sqlite:///PATH or postgresql://… (default: a temporary one)",
    )
    parser.add_argument(
        "--traces",
        metavar="DSN[,DSN]",
        help="databases of traces (default: the one of --runs)",
    )
    parser.add_argument(
        "--redis",
        metavar="URL",
        help="Redis server that stores events; needed for background runs and resuming",
    )
    parser.add_argument(
        "--keepalive",
        type=shared.seconds,
        default=10.0,
        metavar="S",
        help="seconds of silence before a keepalive ping (default: 10)",
    )
    shared.add_scenarios(parser)


def main(arguments: argparse.Namespace) -> int:
    """Serve the demonstration until Ctrl-C.

    Raises:
        InputError: the extra is not installed, the port is taken, or a DSN is not valid.
    """
    try:
        from harness.demo.page import page
        from harness.demo.server import run
        from harness.demo.stack import Settings
    except ModuleNotFoundError as error:
        message = f"harness demo needs {error.name}: pip install 'llm-stream-harness[sdks,demo]'"
        raise InputError(message) from None
    from harness.scenarios import scenario_root

    def ready(url: str) -> None:
        show_progress("\r\x1b[K")
        sys.stdout.write(f"harness demo at {url}; press Ctrl-C to stop.\n\n{page(url)}")
        sys.stdout.flush()

    with _databases(arguments.runs) as (runs, locks, traces):
        settings = Settings(
            scenarios=scenario_root(arguments.scenarios),
            runs=runs,
            locks=locks,
            traces=traces if arguments.traces is None else arguments.traces,
            redis=arguments.redis,
            keepalive_s=arguments.keepalive,
        )
        show_progress("loading the SDKs …")
        run(settings, arguments.port, ready)
    show_progress("\n")
    return 0


@contextmanager
def _databases(named: str | None) -> Iterator[tuple[str, str, str]]:
    """Return the DSNs of runs, locks and traces: the named one, or temporary SQLite files.

    SQLite allows one writer at a time and others poll for their turn, so each has its own file.
    """
    if named is not None:
        yield named, named, named
        return
    with TemporaryDirectory(prefix="harness-demo-") as folder:
        runs, traces = (f"sqlite:///{Path(folder) / name}.sqlite3" for name in ("runs", "traces"))
        yield runs, "sqlite:///:memory:", traces
