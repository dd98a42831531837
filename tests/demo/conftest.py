"""A demonstration in a process of its own, with its own Redis, shared by these tests."""

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
    """The URL of a private Redis, or None without redis-server."""
    with private_redis() as url:
        yield url


@pytest.fixture(scope="session")
def demo(redis_url: str | None) -> Iterator[Demo]:
    if sys.platform == "win32":
        pytest.skip("Ctrl-C cannot be sent as a signal")
    with Demo(*(() if redis_url is None else ("--redis", redis_url))) as running:
        yield running
        assert running.end(signal.SIGTERM)[0] == 0


@pytest.fixture
def client(demo: Demo) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=demo.url, trust_env=False, timeout=30) as opened:
        yield opened


@pytest.fixture
def redis_client(client: httpx2.Client, redis_url: str | None) -> httpx2.Client:
    """A client of a demonstration that stores client events."""
    if redis_url is None:
        pytest.skip("no redis-server")
    return client
