"""One reader of a run that is kept elsewhere: its frames, pings, and an end in any case.

Rules of this file: a frame is handed on as it was written; what is said to this reader alone has no
number of its own, so it can resume behind what it has and misses nothing; the run is not touched,
because whoever lost sight of it cannot know that it is over.
"""

from __future__ import annotations

import logging
from collections import deque
from contextlib import aclosing
from typing import TYPE_CHECKING

from harness.streaming.serving.background.errors import BackgroundError
from harness.streaming.serving.client_events import (
    DONE,
    STREAM_INCOMPLETE,
    ClientEventBuilder,
    ClientEventReader,
    write,
)
from harness.streaming.serving.keepalive import with_keepalive

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from harness.streaming.serving.background.reader import StoredEvent
    from harness.streaming.serving.client_events import ClientEvent
    from harness.streaming.serving.runs.statuses import StopReason
    from harness.streaming.serving.runs.store import RunStore
    from harness.streaming.serving.service import StreamingService

_ENDING = 4  # frames behind the messages, at most: stop reason, usage, error, [DONE]
_DONE = write(DONE)
_log = logging.getLogger(__name__)


class RunFollower:
    """Reads one run, once.

    Args:
        service: whose keepalive and clock its readers have.
        runs: where the run is kept.
        run_id: the run.
        after: the number of the last frame the reader has.
    """

    def __init__(self, service: StreamingService, runs: RunStore, run_id: str, after: int):
        self._service, self._runs, self._run_id = service, runs, run_id
        self._framer = ClientEventBuilder(run_id, service.otid, kept=False)
        self._framer.last = after
        self._newest: deque[bytes] = deque(maxlen=_ENDING)

    def frames(self, numbered: AsyncGenerator[StoredEvent, None]) -> AsyncGenerator[bytes, None]:
        """Yield what is kept of the run, and pings where nothing comes."""
        service, pieces = self._service, self._told(numbered)
        if service.keepalive_s is None:
            return pieces
        return with_keepalive(pieces, service.keepalive_s, self._ping, service.call_later)

    def _ping(self) -> bytes:
        return write(self._framer.ping())

    async def _told(
        self, numbered: AsyncGenerator[StoredEvent, None]
    ) -> AsyncGenerator[bytes, None]:
        lost: BackgroundError | None = None
        try:
            async with aclosing(numbered):
                async for number, frame in numbered:
                    self._framer.last = number
                    self._newest.append(frame)
                    yield frame
                    if frame == _DONE:
                        return  # a wait for the writer's own end would be filled with pings
        except BackgroundError as error:
            _log.warning("a reader of run %r was left behind: %s", self._run_id, error)
            lost = error
        if lost is not None:
            reason = await self._standing()
            for said in self._last_words(reason, str(lost)):
                yield write(said)

    async def _standing(self) -> StopReason:
        """Return why the run stopped without its whole answer; what is not known is an error."""
        try:
            run = await self._runs.get(self._run_id)
        except Exception:  # noqa: BLE001 - whatever became of the store, the reader hears its end
            _log.exception("run %r could not be looked up", self._run_id)
            return STREAM_INCOMPLETE.stop_reason
        if run is None or run.stop_reason is None or run.status == "completed":
            return STREAM_INCOMPLETE.stop_reason
        return run.stop_reason

    def _last_words(self, reason: StopReason, why: str) -> Iterator[ClientEvent]:
        """Yield what is missing of an end."""
        reader = ClientEventReader()
        reader.feed(b"".join(self._newest))
        if "done" in reader.seen:
            return
        if "stop_reason" not in reader.seen:
            yield self._framer.stop_reason(reason)
        if "error" not in reader.seen and reason != "cancelled":
            yield self._framer.error(STREAM_INCOMPLETE, why)
        yield DONE
