"""A stream of server-sent events as an ASGI response that closes what it reads.

Rules of this file: the frames are closed in the task that reads them, however the response ends; a
disconnect of the client ends the wait for the next frame at once, also if the provider is silent.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

from harness.errors import RunCancelled
from harness.streaming.cancellation import CancelSignal
from harness.streaming.closing import joined

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.types import Message, Receive, Scope, Send

_HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",  # otherwise nginx buffers frames
}


class StreamingResponse:
    """Sends a stream.

    Args:
        frames: a run's frames; closed here, however the response ends.
        headers: further headers.
        encoded: what is sent instead of the frames, made from them.
    """

    def __init__(
        self,
        frames: AsyncGenerator[bytes, None],
        headers: dict[str, str],
        encoded: AsyncGenerator[bytes, None] | None = None,
    ):
        self._frames, self._encoded = frames, encoded or frames
        self._headers = [
            (name.encode(), value.encode()) for name, value in {**_HEADERS, **headers}.items()
        ]

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Send the frames until they end or the client disconnects."""
        disconnected = CancelSignal()
        watcher = asyncio.create_task(_watch(receive, disconnected), name="disconnect")
        try:
            with suppress(RunCancelled):
                async with aclosing(self._frames), aclosing(self._encoded):
                    await self._send(disconnected, send)
        finally:
            watcher.cancel()
            await joined(watcher)

    async def _send(self, disconnected: CancelSignal, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self._headers}
        await disconnected.guard(send(start))
        async for piece in disconnected.guard_stream(self._encoded):
            await disconnected.guard(send(_body(piece, more=True)))
        await disconnected.guard(send(_body(b"", more=False)))


def _body(piece: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": piece, "more_body": more}


async def _watch(receive: Receive, disconnected: CancelSignal) -> None:
    """Fire the signal when the client disconnects."""
    while (await receive())["type"] != "http.disconnect":
        pass
    disconnected.fire()
