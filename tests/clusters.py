"""A dask cluster of processes: a scheduler and two workers, one of which may be killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PATIENCE = 120.0  # seconds: a loaded machine takes its time to import
_QUIET = ("--no-dashboard", "--host", "127.0.0.1", "--scheduler-file")
_WORKER = ("--nworkers", "1", "--nthreads", "1", "--no-nanny", "--memory-limit", "0")


def until(done: Callable[[], Any], what: str) -> Any:
    """Return what is true at last; fails after ``PATIENCE`` seconds."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = done()
        if found:
            return found
        time.sleep(0.02)
    pytest.fail(f"waited {PATIENCE:.0f} s for {what}")


class Cluster:
    """A scheduler and its workers, each a process.

    Args:
        folder: where they work, and where targets are imported from.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._file = folder, folder / "scheduler.json"
        self._processes: list[subprocess.Popen[bytes]] = []
        self._start("scheduler", *_QUIET, str(self._file), "--port", "0")
        until(self._file.exists, "the scheduler")
        self.address = str(json.loads(self._file.read_text("utf-8"))["address"])
        for _ in range(2):
            self._start("worker", *_QUIET, str(self._file), *_WORKER)

    def _start(self, *words: str) -> None:
        with (self._folder / f"{len(self._processes)}.log").open("wb") as log:
            self._processes.append(
                subprocess.Popen(  # noqa: S603 - our own words
                    [sys.executable, "-m", "dask", *words],
                    cwd=self._folder,
                    stdout=log,
                    stderr=log,
                    env={**os.environ, "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "120s"},
                )
            )

    def kill_one_at_work(self) -> None:
        """Kill a worker without a warning while it does a share and others wait."""
        from distributed import Client

        opened: Any = Client  # untyped in distributed
        with opened(self.address, timeout=PATIENCE, set_as_default=False) as client:
            pids = until(lambda: _pids(client), "two workers")
            at_work = until(lambda: _busy(client), "a worker at work")
        os.kill(pids[at_work], 9)

    def close(self) -> None:
        """End every process; the workers first, so that none looks for its scheduler."""
        for process in reversed(self._processes):
            process.kill()
            process.wait()


def _pids(client: Any) -> dict[str, int] | None:
    found: dict[str, int] = client.run(os.getpid)
    return found if len(found) == 2 else None


def _busy(client: Any) -> str | None:
    return next((worker for worker, keys in client.processing().items() if keys), None)


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Own a cluster; skips where distributed is not installed."""
    pytest.importorskip("distributed", reason="distributed is not installed (extra `cluster`)")
    made = Cluster(folder)
    try:
        yield made
    finally:
        made.close()
