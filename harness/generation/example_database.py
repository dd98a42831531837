"""The database of failing examples: a folder, or a Redis that several machines share.

Rule of this file: the process that runs a campaign owns the database. Its workers get a
``TrackingDatabase`` with what was known at the start, and return its changes: so their order of
work does not matter, and a worker on another machine needs no access to a local folder.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias
from urllib.parse import urlsplit

from hypothesis.database import (
    DirectoryBasedExampleDatabase,
    ExampleDatabase,
    InMemoryExampleDatabase,
)

from harness.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    Examples: TypeAlias = Mapping[bytes, frozenset[bytes]]  # by database key

__all__ = [
    "DatabaseChange",
    "ExampleDatabase",
    "TrackingDatabase",
    "apply_changes",
    "open_database",
]

_SHARED = ("redis://", "rediss://", "unix://")
_NAME = "harness-fuzz"  # of connections, channel and keys: others may use the same Redis
_EXPIRES_AFTER = timedelta(days=30)  # without being seen again
_TIMEOUT_S = 5.0  # for a Redis to accept a connection, and to reply


@contextmanager
def open_database(location: str | Path | None) -> Iterator[ExampleDatabase]:
    """Open the database of failing examples, and close it at the end.

    Args:
        location: a folder, ``redis://HOST…``, or None for the memory of this process.

    Raises:
        InputError: the location is not one of these, or the Redis does not reply.
    """
    if location is None:
        yield InMemoryExampleDatabase()
    elif str(location).startswith(_SHARED):
        with _redis(str(location)) as database:
            yield database
    else:
        yield DirectoryBasedExampleDatabase(_folder(location))


def _folder(location: str | Path) -> Path:
    if "://" in str(location):
        raise InputError(f"the example database is a folder or redis://HOST, not {location}")
    path = Path(location)
    if path.exists() and not path.is_dir():
        raise InputError("the example database is a folder; this is a file", path=path)
    return path


@contextmanager
def _redis(url: str) -> Iterator[ExampleDatabase]:
    try:
        from hypothesis.extra.redis import RedisExampleDatabase
        from redis import Redis
        from redis.exceptions import RedisError
    except ModuleNotFoundError as error:
        message = "redis is not installed; `pip install 'llm-stream-harness[service]'`"
        raise InputError(message) from error
    try:
        client = Redis.from_url(
            url, client_name=_NAME, socket_connect_timeout=_TIMEOUT_S, socket_timeout=_TIMEOUT_S
        )
        with closing(client):
            client.ping()
            yield RedisExampleDatabase(
                client,
                expire_after=_EXPIRES_AFTER,
                key_prefix=f"{_NAME}:".encode(),
                listener_channel=f"{_NAME}-changes",
            )
    except (RedisError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"no example database at {_without_password(url)}: {reason}") from error


def _without_password(url: str) -> str:
    """Return a URL without its user and password, as an error message may show it."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


class DatabaseChange(NamedTuple):
    """An example that a campaign ``added``, or one that it removed."""

    key: bytes
    example: bytes
    added: bool


class TrackingDatabase(ExampleDatabase):
    """A database in memory that can report how it differs from what it began with.

    Args:
        known: the examples of each key at the start.
    """

    def __init__(self, known: Examples) -> None:
        super().__init__()
        self._known = known
        self._examples = {key: set(examples) for key, examples in known.items()}

    def save(self, key: bytes, value: bytes) -> None:
        """Add an example."""
        self._examples.setdefault(key, set()).add(value)

    def fetch(self, key: bytes) -> Iterable[bytes]:
        """Return the examples of a key, always in the same order."""
        return sorted(self._examples.get(key, ()))

    def delete(self, key: bytes, value: bytes) -> None:
        """Remove an example."""
        self._examples.get(key, set()).discard(value)

    def changes(self) -> tuple[DatabaseChange, ...]:
        """Return the examples that were added and removed since the start."""
        before, now = _pairs(self._known), _pairs(self._examples)
        return (
            *(DatabaseChange(*pair, added=True) for pair in sorted(now - before)),
            *(DatabaseChange(*pair, added=False) for pair in sorted(before - now)),
        )


def _pairs(examples: Mapping[bytes, Iterable[bytes]]) -> set[tuple[bytes, bytes]]:
    return {(key, example) for key, values in examples.items() for example in values}


def apply_changes(changes: Iterable[DatabaseChange], database: ExampleDatabase) -> None:
    """Write into a database what tracking databases reported."""
    for change in changes:
        (database.save if change.added else database.delete)(change.key, change.example)
