"""One connection to a server: what comes is passed on at once, and then handed to the scribe.

Rules of this file: bytes are passed on as they came, framing and all, so nothing is added to the
time of the first or of any other; it reads no faster than the client and the scribe can follow.
"""

from __future__ import annotations

import asyncio
import socket
from time import perf_counter
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.cassettes.recorder.exchange_recorder import ExchangeRecorder
    from harness.cassettes.recorder.write_queue import WriteQueue

_CLIENT, _SCRIBE = "client", "scribe"


class UpstreamConnection(asyncio.Protocol):
    """The recorder's end of a connection to a server.

    Args:
        client: where to pass on what comes.
        scribe: who takes it down.
    """

    _transport: asyncio.Transport

    def __init__(self, client: asyncio.Transport, scribe: WriteQueue) -> None:
        self._client, self._scribe = client, scribe
        self._tape: ExchangeRecorder | None = None
        self._asked = 0.0
        self._rests: set[str] = set()  # who cannot follow
        self._began: asyncio.Future[bool] | None = None
        self._when_gone: Callable[[], None] = lambda: None
        self.gone = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("socket")
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def ask(self, message: bytes, tape: ExchangeRecorder) -> bool:
        """Send a request; return once the answer begins, and whether it does.

        Args:
            message: the request's bytes.
            tape: what takes the exchange down.
        """
        self._tape = tape
        self._began = asyncio.get_running_loop().create_future()
        self._transport.write(message)
        self._asked = perf_counter()
        return await self._began

    def data_received(self, data: bytes) -> None:
        """Pass on, then take down."""
        self._client.write(data)
        if self._tape is None:
            return
        self._scribe.put(self._tape, data, perf_counter() - self._asked)
        self._answer(begins=True)
        if self._scribe.full:
            self.rest(_SCRIBE)
            self._scribe.rest(lambda: self.go_on(_SCRIBE))

    def connection_lost(self, _: Exception | None) -> None:
        """Say that nothing more comes."""
        self.gone = True
        self._answer(begins=False)
        self._when_gone()

    def when_gone(self, tell: Callable[[], None]) -> None:
        """Have somebody told when nothing more comes; at once if that is so."""
        self._when_gone = tell
        if self.gone:
            tell()

    def rest(self, reason: str = _CLIENT) -> None:
        """Read no more for now."""
        self._rests.add(reason)
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def go_on(self, reason: str = _CLIENT) -> None:
        """Read on, if nobody else asked to rest."""
        self._rests.discard(reason)
        if not self._rests and not self._transport.is_closing():
            self._transport.resume_reading()

    def hang_up(self) -> None:
        """Leave: the client did, or the recording ends."""
        self._transport.abort()

    def _answer(self, *, begins: bool) -> None:
        if self._began is not None and not self._began.done():
            self._began.set_result(begins)
