"""``builtin-sync``: our interfaces over the SDKs' synchronous streams, read in a thread.

It must deliver what ``builtin`` delivers, to the last chunk.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

from harness.sdks import names, open_stream_sync
from harness.streaming import closing
from harness.streaming.cancellation import CancelSignal
from harness.streaming.interfaces import interface_for

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from harness.model import Chunk, Outcome
    from harness.sdks.clients import SdkClients
    from harness.targets.base import Call


class BuiltinSyncListening:
    """Opens the SDK's synchronous stream and reads it, each step in a thread of its own."""

    def __init__(self, clients: SdkClients, call: Call) -> None:
        self._clients, self._call = clients, call
        self._interface = interface_for(call.protocol)()
        self._signal = CancelSignal()
        self._stream: Any = None
        self._chunks: Generator[Chunk, None, None] | None = None
        self._iterator: AsyncGenerator[Chunk, None] | None = None
        self._step: asyncio.Task[Chunk | None] | None = None

    async def __aenter__(self) -> Self:
        """Open the stream.

        Raises:
            Exception: what the SDK raises when the provider refuses the request.
        """
        try:
            self._stream = await asyncio.to_thread(open_stream_sync, self._clients, self._call)
        except Exception as error:
            self._interface.fail(error)
            raise
        except BaseException:
            self._interface.cancel()
            raise
        self._chunks = self._interface.chunks_sync(self._stream, self._signal)
        self._iterator = self._read(self._chunks)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Wake the thread that is reading, if there is one, and close the stream.

        Closing a generator that was never started runs no code of it, so the stream is closed as
        well (catalogue CA-002).
        """
        if self._chunks is None or self._iterator is None:
            return
        self._interface.cancel()
        self._signal.fire()
        if self._step is not None:
            await asyncio.wait({self._step})
        await self._iterator.aclose()
        await asyncio.to_thread(self._chunks.close)
        await asyncio.to_thread(closing.close, self._stream)

    def __aiter__(self) -> AsyncGenerator[Chunk, None]:
        """Return the chunks as they arrive; what the SDK raises is raised after the last one."""
        if self._iterator is None:
            raise RuntimeError("enter the listening before iterating over it")
        return self._iterator

    def outcome(self) -> Outcome:
        """Return everything delivered so far."""
        return self._interface.outcome()

    async def _read(self, chunks: Generator[Chunk, None, None]) -> AsyncGenerator[Chunk, None]:
        while True:
            self._step = asyncio.ensure_future(asyncio.to_thread(next, chunks, None))
            chunk = await asyncio.shield(self._step)
            self._step = None
            if chunk is None:
                return
            yield chunk


class BuiltinSyncTarget:
    """Our streaming interfaces over the installed SDKs, synchronously.

    Args:
        clients: the SDK clients of the run.
    """

    name = "builtin-sync"

    def __init__(self, clients: SdkClients) -> None:
        self._clients = clients
        self.protocols = names()

    def listen(self, call: Call) -> BuiltinSyncListening:
        """Return a listening for one stream."""
        return BuiltinSyncListening(self._clients, call)
