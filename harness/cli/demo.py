"""``harness demo``: the whole streaming system over HTTP, to be tried with curl."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from harness.errors import InputError
from harness.scenarios import scenario_root

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator


def main(arguments: argparse.Namespace) -> int:
    """Serve the demonstration until Ctrl-C.

    Raises:
        InputError: the extra is not installed, the port is taken, or a DSN is at fault.
    """
    try:
        from harness.demo.page import page
        from harness.demo.server import run
        from harness.demo.stack import Settings
    except ModuleNotFoundError as error:
        words = f"harness demo needs {error.name}: pip install 'llm-stream-harness[sdks,demo]'"
        raise InputError(words) from None

    def ready(url: str) -> None:
        _progress("\r\x1b[K")
        sys.stdout.write(f"harness demo at {url}; Ctrl-C ends.\n\n{page(url)}")
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
        _progress("loading the SDKs …")
        run(settings, arguments.port, ready)
    _progress("\n")
    return 0


def _progress(words: str) -> None:
    """Tell a person who watches; nobody else wants to know."""
    if sys.stderr.isatty():
        sys.stderr.write(words)
        sys.stderr.flush()


@contextmanager
def _databases(named: str | None) -> Iterator[tuple[str, str, str]]:
    """Return the DSNs of runs, locks and traces: the one that was named, or what will be gone.

    SQLite lets one write at a time, and lets the others ask again and again: each has its own.
    """
    if named is not None:
        yield named, named, named
        return
    with TemporaryDirectory(prefix="harness-demo-") as folder:
        runs, traces = (f"sqlite:///{Path(folder) / name}.sqlite3" for name in ("runs", "traces"))
        yield runs, "sqlite:///:memory:", traces
