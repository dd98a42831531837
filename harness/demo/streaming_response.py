"""A stream of server-sent events as an ASGI response that closes what it reads.

Rules of this file: the frames are closed in the task that reads them, however the response ends; a
client that leaves ends the wait for the next frame at once, also where the provider is silent.
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
    "x-accel-buffering": "no",  # nginx would gather frames before it hands them on
}


class StreamingResponse:
    """Sends frames.

    Args:
        frames: a run's frames; closed here, however the response ends.
        headers: those that are not every stream's.
        told: what the client is sent in place of the frames, made from them.
    """

    def __init__(
        self,
        frames: AsyncGenerator[bytes, None],
        headers: dict[str, str],
        told: AsyncGenerator[bytes, None] | None = None,
    ):
        self._frames, self._told = frames, told or frames
        self._headers = [
            (name.encode(), value.encode()) for name, value in {**_HEADERS, **headers}.items()
        ]

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Send the frames, until they end or the client leaves."""
        gone = CancelSignal()
        watching = asyncio.create_task(_watch(receive, gone), name="disconnect")
        try:
            with suppress(RunCancelled):
                async with aclosing(self._frames), aclosing(self._told):
                    await self._send(gone, send)
        finally:
            watching.cancel()
            await joined(watching)

    async def _send(self, gone: CancelSignal, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self._headers}
        await gone.guard(send(start))
        async for piece in gone.guard_stream(self._told):
            await gone.guard(send(_body(piece, more=True)))
        await gone.guard(send(_body(b"", more=False)))


def _body(piece: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": piece, "more_body": more}


async def _watch(receive: Receive, gone: CancelSignal) -> None:
    """Say when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
    gone.fire()
