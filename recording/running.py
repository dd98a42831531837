"""Runs an engine while a block runs, and whoever answers for it.

Rule of this file: whoever starts an engine ends it, on every path, also when a story killed it.
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

PATIENCE_S = 120.0  # for an engine to begin to answer
_POLL_S = 0.02


class Running(NamedTuple):
    """A running engine: its process and where it listens."""

    pid: int
    url: str


@contextmanager
def running(kind: engines.Kind) -> Iterator[Running]:
    """Serve on 127.0.0.1 while the block runs.

    Raises:
        RuntimeError: the engine did not begin to answer; its log says why.
    """
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    log = engines.BUILD / f"{kind.name}.log"
    with ExitStack() as stack:
        environment = {**os.environ, **kind.environment}
        if kind.behind is not None:
            behind = stack.enter_context(running(engines.KINDS[kind.behind]))
            environment["UPSTREAM"] = f"{behind.url}/v1"
        words = stack.enter_context(log.open("w"))
        process = stack.enter_context(
            subprocess.Popen(  # noqa: S603 - our own command
                kind.command(port),
                stdin=subprocess.PIPE,
                stdout=words,
                stderr=words,
                env=environment,
                cwd=engines.HERE.parent,
            )
        )
        stack.callback(process.kill)
        _wait(process, url + kind.ready, log)
        yield Running(process.pid, url)


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE_S):  # noqa: S310 - our own engine
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(_POLL_S)
    raise RuntimeError(f"the engine did not begin to answer; see {log}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
    return port
