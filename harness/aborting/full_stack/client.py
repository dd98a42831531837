"""The client of a run: reads its events as a web server does, and aborts in the named way.

A client is interrupted at a step of its event loop (``INTERRUPTIONS``: at any step), or disconnects
by itself after a number of events (``DISCONNECTS``).
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

from harness.aborting.consumer_probe import ConsumerAbort
from harness.aborting.leaks import NOTHING_RAISED, raised
from harness.streaming.serving.client_events import ClientEventReader

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

    from harness.streaming.serving.client_events import ClientEvent

    Stream = AsyncGenerator[bytes, None]
    Disconnect = Callable[["Client", Stream], Awaitable[None]]


class Client:
    """Reads one run.

    Args:
        open_stream: begins the run and returns the bytes of its events.
        bytes_sent: returns the bytes the provider has sent by now.

    ``events`` are those it received, and ``sent_at`` the bytes sent when each of them came;
    ``suppressed`` is what a disconnect raised in place of what it should, or None.
    """

    def __init__(
        self, open_stream: Callable[[], Awaitable[Stream]], bytes_sent: Callable[[], int]
    ) -> None:
        self._open_stream, self._bytes_sent = open_stream, bytes_sent
        self._reader = ClientEventReader()
        self.deadline = asyncio.Timeout(None)
        self.events: list[ClientEvent] = []
        self.sent_at: list[int] = []
        self.suppressed: str | None = None

    async def read(self) -> None:
        """Read to the end; close the stream where that fails."""
        async with self.deadline, aclosing(await self._open_stream()) as stream:
            async for data in stream:
                self._receive(data)
                await asyncio.sleep(0)  # until it is sent

    async def disconnect(self, way: str, count: int, note: Callable[[], object]) -> None:
        """Disconnect after a number of reads, unless the stream ends before.

        Args:
            way: one of ``DISCONNECTS``.
            count: how many reads it does before.
            note: called in the moment it disconnects.
        """
        stream = await self._open_stream()
        with suppress(StopAsyncIteration):
            for _ in range(count):
                self._receive(await anext(stream))
                await asyncio.sleep(0)  # the same; meanwhile a backlog may form
            note()
            await DISCONNECTS[way](self, stream)

    def _receive(self, data: bytes) -> None:
        for event in self._reader.feed(data):
            self.events.append(event)
            self.sent_at.append(self._bytes_sent())

    async def _close(self, stream: Stream) -> None:
        await self._expect(None, stream.aclose())
        await self._read_on(stream)

    async def _throw(self, stream: Stream) -> None:
        error = ConsumerAbort()
        await self._expect(error, stream.athrow(error))
        await self._read_on(stream)

    async def _drop(self, _: Stream) -> None:
        """Close nothing: a generator that is dropped is closed by the event loop."""

    async def _expect(self, wanted: Exception | None, abort: Awaitable[Any]) -> None:
        try:
            data = await abort
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the service's fault
            if error is not wanted:
                self.suppressed = raised(error)
        else:
            if wanted is not None:
                self.suppressed = NOTHING_RAISED
            if data is not None:
                self._receive(data)

    async def _read_on(self, stream: Stream) -> None:
        with suppress(StopAsyncIteration):
            self._receive(await anext(stream))


DISCONNECTS: Mapping[str, Disconnect] = {
    "break": Client._drop,  # noqa: SLF001 - this class's own ways to disconnect
    "aclose": Client._close,  # noqa: SLF001 - the same
    "throw": Client._throw,  # noqa: SLF001 - the same
}

# Interruption -> the exception that has to reach the client that is interrupted.
INTERRUPTIONS: Mapping[str, type[BaseException] | None] = {
    "fire": None,  # the run is cancelled in the registry, and the client receives its end
    "cancel": asyncio.CancelledError,
    "cancel again": asyncio.CancelledError,  # and again while it is closing (catalogue CA-018)
    "timeout": TimeoutError,
}
