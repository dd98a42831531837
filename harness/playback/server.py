"""The loopback provider: an HTTP/1.1 server that speaks the scripts of a stage.

Rules of this file: it listens on 127.0.0.1 and nowhere else, and never reaches out; it lives either
in the caller's event loop (``async with``) or in a thread of its own (``start``, ``stop``).
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
# Clients that may wait to be accepted; beyond it Linux resets them in the middle of their request.
# asyncio's own default is 100, and the kernel takes no more than net.core.somaxconn.
BACKLOG = 4096


class LoopbackServer:
    """Speaks a stage's scripts to any client of this machine.

    A script under key ``k`` is spoken to whoever asks for ``base_url/k`` or anything below it.

    Args:
        stage: what to say; scripts may be put and forgotten while the server runs.
        port: the port to listen on; 0 lets the system choose.
    """

    _bound: socket.socket
    _listener: asyncio.Server

    def __init__(self, stage: ResponseRegistry, port: int = 0) -> None:
        self._stage, self._port = stage, port
        self._connections: set[Connection] = set()
        self._home: tuple[Thread, asyncio.AbstractEventLoop, asyncio.Event] | None = None

    @property
    def base_url(self) -> str:
        """The address to put before a key; known once the server listens."""
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
            OSError: the port cannot be had.
        """
        self._bind()
        ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        thread = Thread(target=self._run, args=(ready,), name="replay", daemon=True)
        thread.start()
        self._home = (thread, *ready.result())
        return self.base_url

    def stop(self) -> None:
        """End the thread, and with it every connection; a server that is not started stays so."""
        if self._home is None:
            return
        thread, loop, leave = self._home
        self._home = None
        loop.call_soon_threadsafe(leave.set)
        thread.join()

    def _bind(self) -> None:
        self._bound = socket.create_server((LOOPBACK, self._port), backlog=BACKLOG)
        self._port = self._bound.getsockname()[1]

    async def _listen(self) -> None:
        self._listener = await asyncio.get_running_loop().create_server(
            lambda: Connection(self._stage, self._connections), sock=self._bound, backlog=BACKLOG
        )

    async def _close(self) -> None:
        self._listener.close()
        await asyncio.sleep(0)  # a connection accepted just now is made in this turn of the loop
        await asyncio.gather(*(peer.hang_up() for peer in self._connections))
        await self._listener.wait_closed()

    def _run(self, ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]]) -> None:
        try:
            asyncio.run(self._live(ready))
        finally:
            ready.cancel()  # were there no loop to be had, start would wait for ever

    async def _live(self, ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]]) -> None:
        leave = asyncio.Event()
        await self._listen()
        try:
            ready.set_result((asyncio.get_running_loop(), leave))
            await leave.wait()
        finally:
            await self._close()


@contextmanager
def serving(stage: ResponseRegistry, port: int = 0) -> Iterator[str]:
    """Serve a stage from a thread while the block runs; yields the base URL.

    Args:
        stage: what to say.
        port: the port to listen on; 0 lets the system choose.

    Raises:
        OSError: the port cannot be had.
    """
    server = LoopbackServer(stage, port)
    try:
        yield server.start()
    finally:
        server.stop()
