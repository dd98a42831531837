"""The runs of one Redis: what a service opens once and asks for writers and readers.

Rule of this file: it belongs to one event loop, and whoever opened it closes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import InputError
from harness.streaming.background.door import connect, ensure_there
from harness.streaming.background.reader import reading
from harness.streaming.background.run_log import RunLog
from harness.streaming.background.settings import Settings
from harness.streaming.background.writer import Writer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from typing import Self


class Background:
    """Runs kept in one Redis; connects when it is first asked for something.

    Args:
        settings: where, for how long, how patient.

    Raises:
        InputError: the URL cannot be read, or redis is not installed.
    """

    def __init__(self, settings: Settings | None = None):
        self.settings = settings or Settings()
        self._client = connect(self.settings)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def check(self) -> None:
        """Make sure that Redis is there.

        Raises:
            InputError: it is not; says how to start one, and how to name another.
        """
        await ensure_there(self._client, self.settings.url)

    async def writer(self, run_id: str) -> Writer:
        """Open a run; from now on it can be read.

        Raises:
            InputError: no Redis is there.
            RunTakenError: a run of that id is kept already.
        """
        log = self._log(run_id)
        await log.begin()
        return Writer(log, self.settings)

    def reading(self, run_id: str, after: int = 0) -> AsyncGenerator[bytes, None]:
        """Return the frames of a run behind one of them; see ``reader.reading``.

        Args:
            run_id: the run.
            after: the number of the last frame the reader has; 0 is none.

        Raises:
            InputError: the number is none; while reading: no Redis is there.
        """
        if after < 0:
            raise InputError(f"frames are numbered from 1; nobody has seen number {after}")
        return reading(self._log(run_id), after)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    def _log(self, run_id: str) -> RunLog:
        return RunLog(self._client, self.settings, run_id)
