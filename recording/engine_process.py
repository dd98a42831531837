"""Runs an engine, and the engine behind it if there is one, for the duration of a block.

Rule of this file: every process that is started is ended on every path.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NamedTuple

from recording import engines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TIMEOUT_S = 120.0  # seconds for an engine to become ready
_POLL_S = 0.02


class RunningEngine(NamedTuple):
    """A running engine: its process id and its URL."""

    pid: int
    url: str


@contextmanager
def run_engine(engine: engines.Engine) -> Iterator[RunningEngine]:
    """Run an engine on a free port of 127.0.0.1 while the block runs.

    Raises:
        RuntimeError: the engine did not become ready; the message names its log file.
    """
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    log = engines.BUILD / f"{engine.name}.log"
    with ExitStack() as stack:
        environment = {**os.environ, **engine.environment}
        if engine.upstream is not None:
            upstream = stack.enter_context(run_engine(engines.ENGINES[engine.upstream]))
            environment["UPSTREAM"] = f"{upstream.url}/v1"
        output = stack.enter_context(log.open("w"))
        process = stack.enter_context(
            subprocess.Popen(  # noqa: S603 - our own command
                engine.command(port),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=environment,
                cwd=engines.FOLDER.parent,
            )
        )
        stack.callback(process.kill)
        _wait(process, url + engine.ready, log)
        yield RunningEngine(process.pid, url)


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=TIMEOUT_S):  # noqa: S310 - our own engine
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(_POLL_S)
    raise RuntimeError(f"the engine did not become ready; see {log}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port
