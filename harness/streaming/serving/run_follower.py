"""One reader of a stored run: its client events, pings, and an end in any case.

Rules of this file: stored events are sent as they were written; events that only this reader
receives have no number of their own, so it can resume after the last stored one and misses none;
the run itself is not changed, because a reader that lost it cannot know whether it has ended.
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

_FINAL_EVENTS = 4  # after the messages, at most: stop reason, usage, error, [DONE]
_DONE = write(DONE)
_log = logging.getLogger(__name__)


class RunFollower:
    """Reads one stored run, once.

    Args:
        service: its keepalive settings and its timer are used.
        runs: the store of the run.
        run_id: the run.
        after: the number of the last event that the reader has.
    """

    def __init__(self, service: StreamingService, runs: RunStore, run_id: str, after: int):
        self._service, self._runs, self._run_id = service, runs, run_id
        self._builder = ClientEventBuilder(run_id, service.otid, numbered=False)
        self._builder.last = after
        self._newest: deque[bytes] = deque(maxlen=_FINAL_EVENTS)

    def frames(self, events: AsyncGenerator[StoredEvent, None]) -> AsyncGenerator[bytes, None]:
        """Yield the stored frames of the run, and pings while none comes."""
        service, frames = self._service, self._to_the_end(events)
        if service.keepalive_s is None:
            return frames
        return with_keepalive(frames, service.keepalive_s, self._ping, service.call_later)

    def _ping(self) -> bytes:
        return write(self._builder.ping())

    async def _to_the_end(
        self, events: AsyncGenerator[StoredEvent, None]
    ) -> AsyncGenerator[bytes, None]:
        failure: BackgroundError | None = None
        try:
            async with aclosing(events):
                async for number, frame in events:
                    self._builder.last = number
                    self._newest.append(frame)
                    yield frame
                    if frame == _DONE:
                        return  # waiting for the writer's end would only produce pings
        except BackgroundError as error:
            _log.warning("a reader of run %r cannot continue: %s", self._run_id, error)
            failure = error
        if failure is not None:
            reason = await self._stop_reason()
            for event in self._missing_events(reason, str(failure)):
                yield write(event)

    async def _stop_reason(self) -> StopReason:
        """Return why the run stopped before its last event; if that is unknown, it is an error."""
        try:
            run = await self._runs.get(self._run_id)
        except Exception:  # noqa: BLE001 - the reader receives its end even if the store fails
            _log.exception("run %r could not be looked up", self._run_id)
            return STREAM_INCOMPLETE.stop_reason
        if run is None or run.stop_reason is None or run.status == "completed":
            return STREAM_INCOMPLETE.stop_reason
        return run.stop_reason

    def _missing_events(self, reason: StopReason, why: str) -> Iterator[ClientEvent]:
        """Yield the final events that the stored ones lack."""
        reader = ClientEventReader()
        reader.feed(b"".join(self._newest))
        if "done" in reader.seen:
            return
        if "stop_reason" not in reader.seen:
            yield self._builder.stop_reason(reason)
        if "error" not in reader.seen and reason != "cancelled":
            yield self._builder.error(STREAM_INCOMPLETE, why)
        yield DONE
