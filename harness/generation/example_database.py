"""Where failing examples are kept between campaigns: a folder, or a Redis that machines share.

Rule of this file: whoever runs a campaign owns the database, its workers work on ledgers: what they
know at the start does not depend on who is faster, and a folder of ours is none of another machine.
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

    Known: TypeAlias = Mapping[bytes, frozenset[bytes]]

Kept: TypeAlias = ExampleDatabase  # what other rooms call it

_SHARED = ("redis://", "rediss://", "unix://")
_NAME = "harness-fuzz"  # of our connections, channel and keys: a Redis is shared with others
_KEPT = timedelta(days=30)  # a failure nobody met in that time is forgotten
_PATIENCE = 5.0  # seconds a Redis may take to connect, and to answer


@contextmanager
def opened(place: str | Path | None) -> Iterator[ExampleDatabase]:
    """Open the place where examples are kept, and close it.

    Args:
        place: a folder, ``redis://HOST…``, or None for this process only.

    Raises:
        InputError: it is no such place, or nobody answers there.
    """
    if place is None:
        yield InMemoryExampleDatabase()
    elif str(place).startswith(_SHARED):
        with _redis(str(place)) as kept:
            yield kept
    else:
        yield DirectoryBasedExampleDatabase(_folder(place))


def _folder(place: str | Path) -> Path:
    if "://" in str(place):
        raise InputError(f"examples are kept in a folder or at redis://HOST, not at {place}")
    path = Path(place)
    if path.exists() and not path.is_dir():
        raise InputError("examples are kept in a folder; this is a file", path=path)
    return path


@contextmanager
def _redis(url: str) -> Iterator[ExampleDatabase]:
    try:
        from hypothesis.extra.redis import RedisExampleDatabase
        from redis import Redis
        from redis.exceptions import RedisError
    except ModuleNotFoundError as error:
        words = "redis is not installed; `pip install 'llm-stream-harness[service]'`"
        raise InputError(words) from error
    try:
        client = Redis.from_url(
            url, client_name=_NAME, socket_connect_timeout=_PATIENCE, socket_timeout=_PATIENCE
        )
        with closing(client):
            client.ping()
            yield RedisExampleDatabase(
                client,
                expire_after=_KEPT,
                key_prefix=f"{_NAME}:".encode(),
                listener_channel=f"{_NAME}-changes",
            )
    except (RedisError, ValueError) as error:
        why = " ".join(str(error).split())
        raise InputError(f"no example database at {_without_secret(url)}: {why}") from error


def _without_secret(url: str) -> str:
    """Return an address as it may be shown: without the password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


class Change(NamedTuple):
    """An example that a campaign found, or one that is ``there`` no more."""

    key: bytes
    example: bytes
    there: bool


class Ledger(ExampleDatabase):
    """What was known when a campaign began, and what it made of that.

    Args:
        known: the examples of each key.
    """

    def __init__(self, known: Known) -> None:
        super().__init__()
        self._known = known
        self._kept = {key: set(examples) for key, examples in known.items()}

    def save(self, key: bytes, value: bytes) -> None:
        """Keep an example."""
        self._kept.setdefault(key, set()).add(value)

    def fetch(self, key: bytes) -> Iterable[bytes]:
        """Return the examples of a key, always in the same order."""
        return sorted(self._kept.get(key, ()))

    def delete(self, key: bytes, value: bytes) -> None:
        """Drop an example."""
        self._kept.get(key, set()).discard(value)

    def changes(self) -> tuple[Change, ...]:
        """Return what differs from what was known."""
        before, now = self._pairs(self._known), self._pairs(self._kept)
        return (
            *(Change(*pair, there=True) for pair in sorted(now - before)),
            *(Change(*pair, there=False) for pair in sorted(before - now)),
        )

    @staticmethod
    def _pairs(kept: Mapping[bytes, Iterable[bytes]]) -> set[tuple[bytes, bytes]]:
        return {(key, example) for key, examples in kept.items() for example in examples}


def settle(changes: Iterable[Change], kept: ExampleDatabase) -> None:
    """Write what ledgers changed into the database they were made from."""
    for change in changes:
        (kept.save if change.there else kept.delete)(change.key, change.example)
