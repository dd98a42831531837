"""A shared real Redis, and a private one that a test may kill."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from harness.streaming.serving.background import EventStore, Settings
from tests.streaming.serving.background.stored_runs import (
    PREFIX,
    QUICK,
    URL,
    PrivateRedis,
    eventually,
    is_reachable,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@pytest.fixture(scope="module")
def redis() -> Iterator[Any]:
    """A client of the shared Redis; deletes what the tests have stored."""
    from redis import Redis
    from redis.exceptions import ConnectionError as NoConnectionError

    client = Redis.from_url(URL, socket_connect_timeout=1)
    try:
        client.ping()
    except NoConnectionError:
        client.close()
        pytest.skip(f"no Redis at {URL}")
    yield client
    for key in client.scan_iter(f"{PREFIX}:*"):
        client.delete(key)
    client.close()


@pytest.fixture
async def event_store(redis: Any) -> AsyncIterator[EventStore]:
    async with EventStore(Settings(**QUICK)) as event_store:
        await event_store.ensure_reachable()
        yield event_store
    assert redis.ping()


@pytest.fixture
async def private_redis(tmp_path: Any) -> AsyncIterator[PrivateRedis]:
    if shutil.which("redis-server") is None:
        pytest.skip("no redis-server to kill")
    server = PrivateRedis(str(tmp_path))
    try:
        async with EventStore(Settings(url=server.url)) as event_store:
            await eventually(lambda: is_reachable(event_store))
        yield server
    finally:
        server.kill()
