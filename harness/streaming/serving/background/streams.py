"""The runs of one Redis: what a service opens once and asks for writers and readers.

Rule of this file: it belongs to one event loop, and whoever opened it closes it.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from harness.errors import InputError
from harness.streaming.serving.background.cancel_channel import CancelChannel
from harness.streaming.serving.background.errors import RunUnknownError
from harness.streaming.serving.background.reader import read_events
from harness.streaming.serving.background.redis_client import connect, ensure_there
from harness.streaming.serving.background.run_log import RunLog
from harness.streaming.serving.background.settings import Settings
from harness.streaming.serving.background.writer import Writer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from typing import Self

    from harness.streaming.serving.background.reader import StoredEvent


class Background:
    """Runs kept in one Redis; connects when it is first asked for something.

    Args:
        settings: where, for how long, how patient.

    ``calling_off`` is how a run of another process is cancelled.

    Raises:
        InputError: the URL cannot be read, or redis is not installed.
    """

    def __init__(self, settings: Settings | None = None):
        self.settings = settings or Settings()
        self._client = connect(self.settings)
        self.calling_off = CancelChannel(self._client, self.settings)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def check(self) -> None:
        """Make sure that Redis is there.

        Raises:
            RedisAwayError: it is not; says how to start one, and how to name another.
        """
        await ensure_there(self._client, self.settings.url)

    async def writer(self, run_id: str) -> Writer:
        """Open a run; from now on it can be read.

        Raises:
            RedisAwayError: no Redis is there.
            RunTakenError: a run of that id is kept already.
        """
        log = self._log(run_id)
        await log.begin()
        return Writer(log, self.settings)

    async def ensure_kept(self, run_id: str) -> None:
        """Make sure that there is something to be read of a run.

        Raises:
            RedisAwayError: no Redis is there.
            RunUnknownError: nothing is kept of the run.
        """
        log = self._log(run_id)
        await log.reach()
        if (await log.standing()).last is None:
            raise RunUnknownError(run_id)

    def numbered(self, run_id: str, after: int = 0) -> AsyncGenerator[StoredEvent, None]:
        """Return the frames of a run behind one of them, with their numbers.

        Args:
            run_id: the run.
            after: the number of the last frame the reader has; 0 is none.

        Raises:
            InputError: the number is none.
            BackgroundError: while reading; see ``reader.read_events``.
        """
        if after < 0:
            raise InputError(f"frames are numbered from 1; nobody has seen number {after}")
        return read_events(self._log(run_id), after)

    def read_events(self, run_id: str, after: int = 0) -> AsyncGenerator[bytes, None]:
        """Return the frames of a run behind one of them; see ``numbered``."""
        return _bare(self.numbered(run_id, after))

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    def _log(self, run_id: str) -> RunLog:
        return RunLog(self._client, self.settings, run_id)


async def _bare(numbered: AsyncGenerator[StoredEvent, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(numbered):
        async for kept in numbered:
            yield kept.frame
