"""The HTTP server of the demonstration: listens on the loopback address until a signal stops it.

Rules of this file: the port is opened first, so a port in use is an error before anything else is
opened; the first signal cancels every run, so that each client receives the end of its stream; a
second signal stops at once.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from harness.demo.api import application
from harness.demo.stack import opened
from harness.errors import InputError
from harness.playback.server import BACKLOG, LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.demo.stack import Settings, Stack

SHUTDOWN_S = 5  # how long streams may take to end
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run(settings: Settings, port: int, ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        settings: what to open.
        port: the port to listen on; 0 lets the system choose.
        ready: called with the URL when the server listens.

    Raises:
        InputError: the port cannot be opened, or a setting is not valid.
    """
    _allow_many_files()
    with _listening(port) as listener:
        asyncio.run(_serve(settings, listener, ready))


@contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    try:
        listener = socket.create_server((LOOPBACK, port), backlog=BACKLOG)
    except OSError as error:
        message = f"port {port} cannot be opened ({error.strerror}); name another with --port"
        raise InputError(message) from None
    with listener:
        yield listener


async def _serve(settings: Settings, listener: socket.socket, ready: Callable[[str], None]) -> None:
    async with opened(settings) as stack:
        config = uvicorn.Config(
            application(stack),
            http="h11",
            ws="none",
            lifespan="off",
            log_level="warning",
            access_log=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=SHUTDOWN_S,
        )
        ready(f"http://{LOOPBACK}:{listener.getsockname()[1]}")
        await _Server(config, stack).serve([listener])


class _Server(uvicorn.Server):
    """Uvicorn, except that a signal ends the runs before the connections.

    Args:
        config: the configuration of uvicorn.
        stack: its runs are cancelled.
    """

    def __init__(self, config: uvicorn.Config, stack: Stack):
        super().__init__(config)
        self._stack = stack

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle signals while the block runs, without raising them again afterwards."""
        loop = asyncio.get_running_loop()
        before = {
            number: signal.signal(number, lambda *_: loop.call_soon_threadsafe(self._stop))
            for number in _SIGNALS
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True
        self._stack.service.registry.fire_all()


def _allow_many_files() -> None:
    """Raise the limit of open files as far as allowed: a stream needs three sockets."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
