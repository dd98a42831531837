"""A demonstration in a process of its own, shared by the tests of this room, over its own Redis."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

import httpx2
import pytest

from benchmarks.crowd import Demo

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str | None]:
    """A Redis of these tests' own, or None where there is none."""
    server = shutil.which("redis-server")
    if server is None:
        yield None
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        place = ("--bind", "127.0.0.1", "--port", str(port), "--dir", folder, "--save", "")
        process = subprocess.Popen([server, *place], stdout=subprocess.DEVNULL)  # noqa: S603 - our own
        try:
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def demo(redis_url: str | None) -> Iterator[Demo]:
    if sys.platform == "win32":
        pytest.skip("Ctrl-C is no signal to be sent there")
    with Demo(*(() if redis_url is None else ("--redis", redis_url))) as running:
        yield running
        assert running.end(signal.SIGTERM)[0] == 0


@pytest.fixture
def client(demo: Demo) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=demo.url, trust_env=False, timeout=30) as opened:
        yield opened


@pytest.fixture
def kept(client: httpx2.Client, redis_url: str | None) -> httpx2.Client:
    """A client of a demonstration that keeps frames."""
    if redis_url is None:
        pytest.skip("no redis-server to keep frames in")
    return client
