"""The same provider in memory, for SDKs that accept an ``httpx2`` (or ``httpx``) client.

Rules of this file: it behaves as the loopback server does, with the same classes of errors; a body
is one stream that is read once, however often it is iterated; the event loop runs at every read,
as on a socket, so a cancelled reader receives no more.
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

MEMORY_URL = "http://replay.invalid"  # only the path of a base URL matters here; RFC 2606, 2
FOREVER = threading.TIMEOUT_MAX  # seconds


def memory_transport(registry: ResponseRegistry, library: Library | None = None) -> Any:
    """Return a transport for ``Client(transport=...)`` and ``AsyncClient(transport=...)`` alike.

    Args:
        registry: the scripts; a request's path begins with a key, its host is ignored.
        library: the library that the SDK uses; their classes do not mix. None means ``httpx2`` if
            it is installed; ``of`` changes it later.
    """
    return _transport_class(library or ("httpx2" if find_spec("httpx2") else "httpx"))(registry)


@cache
def _transport_class(library: Library) -> type[MemoryTransport]:
    http = import_module(library)
    body = type("Body", (Body, http.SyncByteStream, http.AsyncByteStream), {"errors": http})
    bases = (MemoryTransport, http.BaseTransport, http.AsyncBaseTransport)
    return type("MemoryTransport", bases, {"response": http.Response, "body": body})


class MemoryTransport:
    """The transport for either library; ``memory_transport`` adds the library's base classes.

    Args:
        registry: the scripts.
    """

    response: Any  # the library's Response
    body: type[Body]

    def __init__(self, registry: ResponseRegistry) -> None:
        self._registry = registry

    def of(self, library: Library) -> MemoryTransport:
        """Return a transport of the given library over the same registry."""
        return _transport_class(library)(self._registry)

    def handle_request(self, request: Any) -> Any:
        """Return the response to a synchronous client."""
        return self._respond(request, request.read())

    async def handle_async_request(self, request: Any) -> Any:
        """Return the response to an asynchronous client."""
        return self._respond(request, await request.aread())

    def _respond(self, request: Any, content: bytes) -> Any:
        headers = tuple((name.lower(), value) for name, value in request.headers.multi_items())
        target = request.url.raw_path.decode("ascii")
        exchange = self._registry.respond(Request(request.method, target, headers, content))
        read_timeout = request.extensions.get("timeout", {}).get("read")
        return self.response(
            exchange.script.status,
            headers=exchange.headers,
            stream=self.body(exchange, FOREVER if read_timeout is None else read_timeout),
            extensions={"http_version": b"HTTP/1.1"},
        )


class Body:
    """A response body as a socket would deliver it.

    Args:
        exchange: the script to send, and where to record what happens.
        read_timeout: the client's read timeout in seconds.
    """

    errors: Any  # the library, for its exceptions

    def __init__(self, exchange: Exchange, read_timeout: float) -> None:
        self._exchange, self._read_timeout = exchange, read_timeout
        self._reads = exchange.script.reads()
        self._closed = threading.Event()
        self._aclosed = asyncio.Event()

    def __iter__(self) -> Iterator[bytes]:
        try:
            for pause, read in self._reads:
                self._wait(pause)
                yield self._count(read)
            if self._stalls():
                self._wait(FOREVER)
        except BaseException:
            self.close()
            raise

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            for pause, read in self._reads:
                await self._await(pause)
                yield self._count(read)
            if self._stalls():
                await self._await(FOREVER)
        except BaseException:
            await self.aclose()
            raise

    def close(self) -> None:
        """Close the body; a reader that waits or reads on gets a read error."""
        self._exchange.record_close("client")
        self._closed.set()

    async def aclose(self) -> None:
        """Close the body, asynchronously."""
        self.close()
        self._aclosed.set()

    def _count(self, read: bytes) -> bytes:
        self._exchange.sent += len(read)
        return read

    def _stalls(self) -> bool:
        """Return whether the body ends in a stall; raise if it ends in a reset."""
        if self._exchange.script.end == "reset":
            self._exchange.record_close("server")
            raise self.errors.ReadError("the connection was reset by the server, as scripted")
        return self._exchange.script.end == "stall"

    def _wait(self, seconds: float) -> None:
        if seconds and not self._closed.is_set():
            self._closed.wait(min(seconds, self._read_timeout))
        self._check_wait(seconds)

    async def _await(self, seconds: float) -> None:
        if not seconds:
            await asyncio.sleep(0)
        else:
            with suppress(TimeoutError):  # usual: the body is not closed while we wait
                async with asyncio.timeout(min(seconds, self._read_timeout)):
                    await self._aclosed.wait()
        self._check_wait(seconds)

    def _check_wait(self, seconds: float) -> None:
        if self._closed.is_set():
            raise self.errors.ReadError("the response was closed by its reader")
        if seconds > self._read_timeout:
            raise self.errors.ReadTimeout(f"no bytes received for {self._read_timeout:g} s")
