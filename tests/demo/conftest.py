"""A demonstration in a process of its own, shared by the tests of this room, over its own Redis."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

import httpx2
import pytest

from benchmarks.load import Demo, private_redis
from tests.streaming.databases.servers import postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["postgres"]


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str | None]:
    """A Redis of these tests' own, or None where there is none."""
    with private_redis() as url:
        yield url


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
