"""The same provider in memory, for SDKs that take an ``httpx2`` (or ``httpx``) client.

Rules of this file: what the loopback server does over a socket happens here too, with the same
class of error; a body is one stream that is read once, however often it is iterated; every read
is a point where the event loop runs, as it is on a socket, so a cancelled reader gets no more.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from harness.playback.response_registry import Request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from harness.playback.response_registry import Exchange, ResponseRegistry

Library: TypeAlias = Literal["httpx2", "httpx"]

MEMORY_URL = "http://replay.invalid"  # a base URL is needed for its path alone; RFC 2606, 2
FOREVER = threading.TIMEOUT_MAX  # seconds


def memory_transport(stage: ResponseRegistry, library: Library | None = None) -> Any:
    """Return a transport for ``Client(transport=...)`` and ``AsyncClient(transport=...)`` alike.

    Args:
        stage: what to say; its key is the beginning of the request's path, the host is ignored.
        library: the one the SDK under test was built on; their classes do not mix. None is
            ``httpx2`` where it is installed; ``of`` changes it later.
    """
    return _transport_class(library or ("httpx2" if find_spec("httpx2") else "httpx"))(stage)


@cache
def _transport_class(library: Library) -> type[MemoryTransport]:
    http = import_module(library)
    body = type("Body", (Body, http.SyncByteStream, http.AsyncByteStream), {"errors": http})
    bases = (MemoryTransport, http.BaseTransport, http.AsyncBaseTransport)
    return type("MemoryTransport", bases, {"response": http.Response, "body": body})


class MemoryTransport:
    """What a transport of either library does; ``memory_transport`` makes it one of theirs.

    Args:
        stage: what to say.
    """

    response: Any  # the library's Response
    body: type[Body]

    def __init__(self, stage: ResponseRegistry) -> None:
        self._stage = stage

    def of(self, library: Library) -> MemoryTransport:
        """Return the same provider as a transport of the other library."""
        return _transport_class(library)(self._stage)

    def handle_request(self, request: Any) -> Any:
        """Answer a request of a synchronous client."""
        return self._answer(request, request.read())

    async def handle_async_request(self, request: Any) -> Any:
        """Answer a request of an asynchronous client."""
        return self._answer(request, await request.aread())

    def _answer(self, request: Any, content: bytes) -> Any:
        headers = tuple((name.lower(), value) for name, value in request.headers.multi_items())
        target = request.url.raw_path.decode("ascii")
        exchange = self._stage.answer(Request(request.method, target, headers, content))
        patience = request.extensions.get("timeout", {}).get("read")
        return self.response(
            exchange.script.status,
            headers=exchange.headers,
            stream=self.body(exchange, FOREVER if patience is None else patience),
            extensions={"http_version": b"HTTP/1.1"},
        )


class Body:
    """A response body as a socket would deliver it.

    Args:
        exchange: what to say, and where to note what happens.
        patience: the client's read timeout in seconds.
    """

    errors: Any  # the library, for its exceptions

    def __init__(self, exchange: Exchange, patience: float) -> None:
        self._exchange, self._patience = exchange, patience
        self._reads = exchange.script.reads()
        self._closed = threading.Event()
        self._aclosed = asyncio.Event()

    def __iter__(self) -> Iterator[bytes]:
        try:
            for pause, read in self._reads:
                self._wait(pause)
                yield self._take(read)
            if self._ends_in_silence():
                self._wait(FOREVER)
        except BaseException:
            self.close()
            raise

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            for pause, read in self._reads:
                await self._await(pause)
                yield self._take(read)
            if self._ends_in_silence():
                await self._await(FOREVER)
        except BaseException:
            await self.aclose()
            raise

    def close(self) -> None:
        """Leave; whoever reads on or still waits is told that the connection is gone."""
        self._exchange.left("client")
        self._closed.set()

    async def aclose(self) -> None:
        """Leave, asynchronously."""
        self.close()
        self._aclosed.set()

    def _take(self, read: bytes) -> bytes:
        self._exchange.sent += len(read)
        return read

    def _ends_in_silence(self) -> bool:
        """Tell a stall from a clean end; raise where the connection is lost."""
        if self._exchange.script.end == "reset":
            self._exchange.left("server")
            raise self.errors.ReadError("the connection was reset by the server, as scripted")
        return self._exchange.script.end == "stall"

    def _wait(self, seconds: float) -> None:
        if seconds and not self._closed.is_set():
            self._closed.wait(min(seconds, self._patience))
        self._judge_wait(seconds)

    async def _await(self, seconds: float) -> None:
        if not seconds:
            await asyncio.sleep(0)
        else:
            with suppress(TimeoutError):  # the rule: nobody closes the body while we wait
                async with asyncio.timeout(min(seconds, self._patience)):
                    await self._aclosed.wait()
        self._judge_wait(seconds)

    def _judge_wait(self, seconds: float) -> None:
        if self._closed.is_set():
            raise self.errors.ReadError("the response was closed by its reader")
        if seconds > self._patience:
            raise self.errors.ReadTimeout(f"no byte came for {self._patience:g} s")
