"""A lock that lets one run at a time work on a conversation, in all processes of one database.

Rules of this file: a lease belongs to a secret token, so only its owner renews and releases it; it
is renewed while it is held and expires ``ttl`` seconds after its owner died; it is released
whatever happens after it was requested, a cancellation included. The clocks of the machines may
differ by much less than the ttl only.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from harness.errors import ConversationBusyError
from harness.streaming.databases.database import open_database
from harness.streaming.databases.schema import Schema
from harness.streaming.serving.runs.store import DEFAULT_DSN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from harness.streaming.databases.database import Database

TTL_S = 30.0
_RENEWALS = 3  # per ttl: two may fail before the lease is lost
_log = logging.getLogger(__name__)

SCHEMA = Schema(
    "locks",
    (
        """
        CREATE TABLE harness_locks (
            conversation TEXT PRIMARY KEY,
            owner TEXT NOT NULL,
            expires_at DOUBLE PRECISION NOT NULL
        )
        """,
    ),
)
_TAKE = """
INSERT INTO harness_locks (conversation, owner, expires_at) VALUES (:conversation, :owner, :until)
ON CONFLICT (conversation) DO UPDATE SET owner = excluded.owner, expires_at = excluded.expires_at
WHERE harness_locks.expires_at <= :now OR harness_locks.owner = excluded.owner
RETURNING owner
"""
_RENEW = """
UPDATE harness_locks SET expires_at = :until
WHERE conversation = :conversation AND owner = :owner RETURNING owner
"""
_RELEASE = "DELETE FROM harness_locks WHERE conversation = :conversation AND owner = :owner"


class Lease:
    """The right to work on a conversation; ``lost`` is True when it has expired.

    A lease is lost when it could not be renewed in time. Another run may be at work by then, so the
    owner should write nothing more.
    """

    def __init__(self, conversation: str):
        self.conversation = conversation
        self.owner = uuid.uuid4().hex
        self.until = 0.0
        self.lost = False


class ConversationLock:
    """Locks on conversations, in a database.

    Args:
        database: SQLite or PostgreSQL, opened with ``SCHEMA``.
        ttl: seconds after which a lease that was not renewed expires.
        clock: seconds since the epoch.
        sleep: waits some seconds between two renewals.
    """

    def __init__(
        self,
        database: Database,
        *,
        ttl: float = TTL_S,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ):
        self._database, self._ttl, self._clock, self._sleep = database, ttl, clock, sleep

    @asynccontextmanager
    async def acquire(self, conversation: str) -> AsyncIterator[Lease]:
        """Hold the lease of a conversation while the context lasts.

        Raises:
            ConversationBusyError: another run holds it.
        """
        lease = Lease(conversation)
        try:
            await self._take(lease)
            async with self._renewed(lease):
                yield lease
        finally:
            await self._release(lease)

    async def aclose(self) -> None:
        """Close the database; leases that are still held expire by themselves."""
        await self._database.aclose()

    async def _take(self, lease: Lease) -> None:
        if not await self._write(_TAKE, lease, now=self._clock()):
            raise ConversationBusyError(lease.conversation)

    @asynccontextmanager
    async def _renewed(self, lease: Lease) -> AsyncIterator[None]:
        task = asyncio.create_task(self._keep_renewing(lease))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def _keep_renewing(self, lease: Lease) -> None:
        while not lease.lost:
            await self._sleep(self._ttl / _RENEWALS)
            try:
                lease.lost = not await self._write(_RENEW, lease)
            except Exception as error:  # noqa: BLE001 - a failed database may be back in time
                _log.warning(
                    "the lease on conversation %r was not renewed: %s", lease.conversation, error
                )
                lease.lost = self._clock() >= lease.until
        _log.error(
            "the lease on conversation %r was lost while a run was at work", lease.conversation
        )

    async def _release(self, lease: Lease) -> None:
        owned = {"conversation": lease.conversation, "owner": lease.owner}
        try:
            await self._database.execute(_RELEASE, owned)
        except Exception as error:  # noqa: BLE001 - an exception of the run matters more; the ttl frees it
            _log.warning(
                "the lease on conversation %r was not released, it expires by its ttl: %s",
                lease.conversation,
                error,
            )

    async def _write(self, statement: str, lease: Lease, **more: float) -> bool:
        """Extend a lease; return whether it belongs to its owner."""
        until = self._clock() + self._ttl
        owned = {"conversation": lease.conversation, "owner": lease.owner}
        if not await self._database.execute(statement, {**owned, "until": until, **more}):
            return False
        lease.until = until
        return True


def make_lock(dsn: str = DEFAULT_DSN, *, ttl: float = TTL_S) -> ConversationLock:
    """Return the locks in a database, not yet connected.

    Raises:
        InputError: the DSN is not valid; see databases/database.py for its forms.
    """
    return ConversationLock(open_database(dsn, SCHEMA), ttl=ttl)
