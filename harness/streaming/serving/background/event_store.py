"""The store of client events in one Redis: a service opens it once, and writes and reads runs.

Rule of this file: it belongs to one event loop, and the caller that opened it closes it.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from harness.errors import InputError
from harness.streaming.serving.background.cancel_channel import CancelChannel
from harness.streaming.serving.background.errors import RunUnknownError
from harness.streaming.serving.background.reader import read_events
from harness.streaming.serving.background.redis_client import connect, ensure_reachable
from harness.streaming.serving.background.run_log import RunLog
from harness.streaming.serving.background.settings import Settings
from harness.streaming.serving.background.writer import Writer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from typing import Self

    from harness.streaming.serving.background.reader import StoredEvent


class EventStore:
    """The store of client events in one Redis; connects when it is first used.

    Args:
        settings: which Redis, and all times.

    ``cancel_channel`` cancels runs of other processes.

    Raises:
        InputError: the URL cannot be read, or redis is not installed.
    """

    def __init__(self, settings: Settings | None = None):
        self.settings = settings or Settings()
        self._client = connect(self.settings)
        self.cancel_channel = CancelChannel(self._client, self.settings)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def ensure_reachable(self) -> None:
        """Ping Redis.

        Raises:
            RedisUnavailableError: there is no reply; the message says how to start a Redis and how
                to name another.
        """
        await ensure_reachable(self._client, self.settings.url)

    async def writer(self, run_id: str) -> Writer:
        """Create a stored run and return its writer; the run can be read from now on.

        Raises:
            RedisUnavailableError: Redis cannot be reached.
            RunTakenError: a run with that id is stored already.
        """
        log = self._log(run_id)
        await log.begin()
        return Writer(log, self.settings)

    async def ensure_stored(self, run_id: str) -> None:
        """Check that a run is stored.

        Raises:
            RedisUnavailableError: Redis cannot be reached.
            RunUnknownError: nothing is stored of the run.
        """
        log = self._log(run_id)
        await log.ensure_reachable()
        if (await log.status()).last is None:
            raise RunUnknownError(run_id)

    def events(self, run_id: str, after: int = 0) -> AsyncGenerator[StoredEvent, None]:
        """Return the stored events of a run.

        Args:
            run_id: the run.
            after: the number of the last event that the caller has; 0 for none.

        Raises:
            InputError: ``after`` is negative.
            BackgroundError: while reading; see ``reader.read_events``.
        """
        if after < 0:
            raise InputError(f"`after` must be 0 or greater, not {after}")
        return read_events(self._log(run_id), after)

    def frames(self, run_id: str, after: int = 0) -> AsyncGenerator[bytes, None]:
        """Return the bytes of the stored events of a run; see ``events``."""
        return _frames(self.events(run_id, after))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    def _log(self, run_id: str) -> RunLog:
        return RunLog(self._client, self.settings, run_id)


async def _frames(events: AsyncGenerator[StoredEvent, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(events):
        async for event in events:
            yield event.frame
