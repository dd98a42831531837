"""The only importer of redis: a client, and its errors as errors of ours.

Rules of this file: no command is sent twice, because a lost reply looks the same as a lost
command; no error message contains a password.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from harness.errors import InputError
from harness.streaming.serving.background.errors import RedisFailedError, RedisUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.streaming.serving.background.settings import Settings

DEFAULT_PORT = 6379


def connect(settings: Settings) -> Any:
    """Return a client that is not connected yet.

    Raises:
        InputError: the URL cannot be read, or redis is not installed.
    """
    try:
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
    except ModuleNotFoundError as error:
        raise InputError(
            "background runs need redis: pip install 'llm-stream-harness[service]'"
        ) from error
    try:
        return Redis.from_url(
            settings.url,
            protocol=2,  # the replies of every server and of every version of the client
            max_connections=settings.connections,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=settings.timeout,
            socket_connect_timeout=settings.timeout,
        )
    except ValueError:
        raise InputError("the Redis URL cannot be read; write it as redis://host:port/db") from None


async def ensure_reachable(client: Any, url: str) -> None:
    """Ping Redis.

    Raises:
        RedisUnavailableError: there is no reply; the message says how to start a Redis and how to
            name another.
    """
    try:
        with redis_errors():
            await client.ping()
    except RedisFailedError as error:
        address = urlsplit(url)
        place = address.netloc.rpartition("@")[2] or address.path
        raise RedisUnavailableError(
            f"no Redis at {place} ({error}): start one with `redis-server --port "
            f"{address.port or DEFAULT_PORT}`, or name another with Settings(url=…)"
        ) from error


@contextmanager
def redis_errors() -> Iterator[None]:
    """Turn exceptions of the redis client into ``RedisFailedError``.

    Raises:
        RedisFailedError: Redis failed, or refused a command.
    """
    from redis.exceptions import RedisError

    try:
        yield
    except (RedisError, OSError) as error:
        raise RedisFailedError(f"Redis failed: {error or type(error).__name__}") from error
