"""One run at a time on a conversation, across every process that shares the database.

Rules of this file: a hold belongs to a token nobody else knows, so it is renewed and released only
by its owner; it is renewed while it is held and runs out ``ttl`` seconds after its holder died;
whatever happens between asking and having, a cancellation included, ends with the release. The
clocks of the machines must agree to well within the ttl.
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
_RENEWALS = 3  # in one ttl: two may fail before the hold is lost
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
    """A conversation that is held; ``lost`` says that it is so no longer.

    A hold is lost when it could not be renewed in time: another run may be at work by now, so its
    holder should write nothing more.
    """

    def __init__(self, conversation: str):
        self.conversation = conversation
        self.owner = uuid.uuid4().hex
        self.until = 0.0
        self.lost = False


class ConversationLock:
    """Locks on conversations, kept in a database.

    Args:
        database: SQLite or PostgreSQL, opened with ``SCHEMA``.
        ttl: seconds after which a hold that was not renewed is free to take.
        clock: seconds since the epoch.
        sleep: what the renewal waits with, given seconds.
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
    async def held(self, conversation: str) -> AsyncIterator[Lease]:
        """Hold a conversation for as long as the context lasts.

        Raises:
            ConversationBusyError: somebody else holds it.
        """
        hold = Lease(conversation)
        try:
            await self._take(hold)
            async with self._renewed(hold):
                yield hold
        finally:
            await self._release(hold)

    async def aclose(self) -> None:
        """Close the database; what is still held runs out by itself."""
        await self._database.aclose()

    async def _take(self, hold: Lease) -> None:
        if not await self._write(_TAKE, hold, now=self._clock()):
            raise ConversationBusyError(hold.conversation)

    @asynccontextmanager
    async def _renewed(self, hold: Lease) -> AsyncIterator[None]:
        task = asyncio.create_task(self._keep_renewing(hold))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def _keep_renewing(self, hold: Lease) -> None:
        while not hold.lost:
            await self._sleep(self._ttl / _RENEWALS)
            try:
                hold.lost = not await self._write(_RENEW, hold)
            except Exception as error:  # noqa: BLE001 - a database that is away may be back in time
                _log.warning("conversation %r was not renewed: %s", hold.conversation, error)
                hold.lost = self._clock() >= hold.until
        _log.error("conversation %r was lost while a run was at work", hold.conversation)

    async def _release(self, hold: Lease) -> None:
        owned = {"conversation": hold.conversation, "owner": hold.owner}
        try:
            await self._database.execute(_RELEASE, owned)
        except Exception as error:  # noqa: BLE001 - what the run raised matters more; the ttl frees it
            _log.warning("conversation %r runs out by its ttl: %s", hold.conversation, error)

    async def _write(self, statement: str, hold: Lease, **more: float) -> bool:
        """Move the end of a hold; says whether it is its owner's."""
        until = self._clock() + self._ttl
        owned = {"conversation": hold.conversation, "owner": hold.owner}
        if not await self._database.execute(statement, {**owned, "until": until, **more}):
            return False
        hold.until = until
        return True


def make_lock(dsn: str = DEFAULT_DSN, *, ttl: float = TTL_S) -> ConversationLock:
    """Return the locks kept in a database, not yet connected.

    Raises:
        InputError: the DSN is at fault; see databases/database.py for how one is written.
    """
    return ConversationLock(open_database(dsn, SCHEMA), ttl=ttl)
