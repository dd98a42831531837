"""The loopback provider: an HTTP/1.1 server that sends the scripts of a registry.

Rules of this file: it listens on 127.0.0.1 only and opens no connections; it runs either in the
caller's event loop (``async with``) or in a thread of its own (``start``, ``stop``).
"""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING

from harness.playback.connection import Connection

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from harness.playback.response_registry import ResponseRegistry

LOOPBACK = "127.0.0.1"
# Connections waiting to be accepted; Linux resets further ones in the middle of their request.
# asyncio's default is 100, and the kernel limits it to net.core.somaxconn.
BACKLOG = 4096


class LoopbackServer:
    """Sends a registry's scripts to any client on this machine.

    The script under key ``k`` is the response to ``base_url/k`` and every path below it.

    Args:
        registry: the scripts; they may be registered and removed while the server runs.
        port: the port to listen on; 0 lets the system choose.
    """

    _bound: socket.socket
    _listener: asyncio.Server

    def __init__(self, registry: ResponseRegistry, port: int = 0) -> None:
        self._registry, self._port = registry, port
        self._connections: set[Connection] = set()
        self._running: tuple[Thread, asyncio.AbstractEventLoop, asyncio.Event] | None = None

    @property
    def base_url(self) -> str:
        """The URL to put before a key; valid once the server listens."""
        return f"http://{LOOPBACK}:{self._port}"

    async def __aenter__(self) -> Self:
        self._bind()
        await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    def start(self) -> str:
        """Serve from a daemon thread with an event loop of its own; return the base URL.

        Raises:
            OSError: the port is not available.
        """
        self._bind()
        ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        thread = Thread(target=self._run, args=(ready,), name="replay", daemon=True)
        thread.start()
        self._running = (thread, *ready.result())
        return self.base_url

    def stop(self) -> None:
        """Close every connection and end the thread; does nothing if the server is not started."""
        if self._running is None:
            return
        thread, loop, stop = self._running
        self._running = None
        loop.call_soon_threadsafe(stop.set)
        thread.join()

    def _bind(self) -> None:
        self._bound = socket.create_server((LOOPBACK, self._port), backlog=BACKLOG)
        self._port = self._bound.getsockname()[1]

    async def _listen(self) -> None:
        self._listener = await asyncio.get_running_loop().create_server(
            lambda: Connection(self._registry, self._connections), sock=self._bound, backlog=BACKLOG
        )

    async def _close(self) -> None:
        self._listener.close()
        await asyncio.sleep(0)  # lets a connection that was just accepted be made
        await asyncio.gather(*(peer.close() for peer in self._connections))
        await self._listener.wait_closed()

    def _run(self, ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]]) -> None:
        try:
            asyncio.run(self._serve(ready))
        finally:
            ready.cancel()  # if no loop could be created, `start` would wait for ever

    async def _serve(self, ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]]) -> None:
        stop = asyncio.Event()
        await self._listen()
        try:
            ready.set_result((asyncio.get_running_loop(), stop))
            await stop.wait()
        finally:
            await self._close()


@contextmanager
def serving(registry: ResponseRegistry, port: int = 0) -> Iterator[str]:
    """Serve a registry from a thread while the block runs; yields the base URL.

    Args:
        registry: the scripts.
        port: the port to listen on; 0 lets the system choose.

    Raises:
        OSError: the port is not available.
    """
    server = LoopbackServer(registry, port)
    try:
        yield server.start()
    finally:
        server.stop()
