"""The client of a run: reads its frames as a web server does, and leaves it in the named way.

A client is interrupted at a step of its loop (``INTERRUPTIONS``: anywhere at all), or leaves by
itself after a number of frames (``DEPARTURES``).
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

from harness.engine.consumer_probe import ConsumerAbort
from harness.streaming.serving.client_events import ClientEventReader

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

    from harness.streaming.serving.client_events import ClientEvent

    Frames = AsyncGenerator[bytes, None]
    Departure = Callable[["Client", Frames], Awaitable[None]]


class Client:
    """Reads one run.

    Args:
        stream: begins the run and returns its frames.
        sent: the bytes the provider has sent by now.

    ``heard`` are the frames it got and ``arrived`` the bytes sent by then; ``came_out`` is what
    came out of a departure in place of what had to.
    """

    def __init__(self, stream: Callable[[], Awaitable[Frames]], sent: Callable[[], int]) -> None:
        self._stream, self._sent = stream, sent
        self._reader = ClientEventReader()
        self.deadline = asyncio.Timeout(None)
        self.heard: list[ClientEvent] = []
        self.arrived: list[int] = []
        self.came_out: str | None = None

    async def read(self) -> None:
        """Read to the end, closing the frames where that fails."""
        async with self.deadline, aclosing(await self._stream()) as frames:
            async for piece in frames:
                self._take(piece)
                await asyncio.sleep(0)  # until it is sent

    async def depart(self, way: str, count: int, leaving: Callable[[], object]) -> None:
        """Leave after a number of frames, unless there are fewer.

        Args:
            way: one of ``DEPARTURES``.
            count: the frames it takes before.
            leaving: called in the moment it leaves.
        """
        frames = await self._stream()
        with suppress(StopAsyncIteration):
            for _ in range(count):
                self._take(await anext(frames))
                await asyncio.sleep(0)  # the same; meanwhile a backlog may form
            leaving()
            await DEPARTURES[way](self, frames)

    def _take(self, piece: bytes) -> None:
        for frame in self._reader.feed(piece):
            self.heard.append(frame)
            self.arrived.append(self._sent())

    async def _close(self, frames: Frames) -> None:
        await self._expect(None, frames.aclose())
        await self._ask_again(frames)

    async def _throw(self, frames: Frames) -> None:
        error = ConsumerAbort()
        await self._expect(error, frames.athrow(error))
        await self._ask_again(frames)

    async def _drop(self, _: Frames) -> None:
        """Close nothing: what is dropped is closed by the event loop."""

    async def _expect(self, wanted: Exception | None, leaving: Awaitable[Any]) -> None:
        try:
            answer = await leaving
        except Exception as error:  # noqa: BLE001 - whatever it is, it is about the service
            if error is not wanted:
                self.came_out = f"{type(error).__name__} came out: {error}"[:200]
        else:
            if wanted is not None:
                self.came_out = "nothing came out"
            if answer is not None:
                self._take(answer)

    async def _ask_again(self, frames: Frames) -> None:
        with suppress(StopAsyncIteration):
            self._take(await anext(frames))


DEPARTURES: Mapping[str, Departure] = {
    "break": Client._drop,  # noqa: SLF001 - the table of this class's own ways
    "aclose": Client._close,  # noqa: SLF001 - the same
    "throw": Client._throw,  # noqa: SLF001 - the same
}

# Interruption -> what has to come out at the client that is interrupted.
INTERRUPTIONS: Mapping[str, type[BaseException] | None] = {
    "fire": None,  # the run is cancelled in the registry, and the client hears its end
    "cancel": asyncio.CancelledError,
    "cancel again": asyncio.CancelledError,  # and again while it is closing (catalogue CA-018)
    "timeout": TimeoutError,
}
