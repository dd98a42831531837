"""The SDK clients of one run. Making one takes longer than a stream, so each is made once.

SDKs are imported when a protocol first needs them (about a second each) and receive a client of the
HTTP library that their installed version is built on. Clients are bound to the event loop in which
they were made, so the run that made them closes them. No certificates are loaded: the harness
connects to 127.0.0.1 only.
"""

from __future__ import annotations

import ssl
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.sdks.call import SdkCall
    from harness.sdks.installed import HttpLibrary

T = TypeVar("T")

API_KEY = "harness"  # the SDKs require a key; the loopback server ignores it
PLACEHOLDER_URL = "http://127.0.0.1"  # every call names its own address
DEFAULT_TIMEOUT = 30.0  # seconds
_IDLE = 20  # connections kept open for the next stream: the HTTP libraries' own default


def timeout_of(call: SdkCall) -> float:
    """Return how many seconds a client waits for the next bytes of a call."""
    return call.read_timeout or DEFAULT_TIMEOUT


class SdkClients:
    """The SDK clients of one run, made on first use.

    Args:
        transport: an in-memory transport (``memory_transport``); None uses sockets.
        connections: the largest number of open connections, and so of concurrent streams; further
            requests wait. None for no limit.
    """

    def __init__(self, transport: Any = None, connections: int | None = 100) -> None:
        self._transport, self._connections = transport, connections
        self._http: dict[HttpLibrary, Any] = {}
        self._http_sync: dict[HttpLibrary, Any] = {}
        self._made: dict[Callable[[SdkClients], Any], Any] = {}

    def get(self, make: Callable[[SdkClients], T]) -> T:
        """Return what a function makes of these clients, made on the first call only."""
        if make not in self._made:
            self._made[make] = make(self)
        made: T = self._made[make]
        return made

    def http(self, library: HttpLibrary) -> Any:
        """Return the asynchronous HTTP client of this run; SDKs built on one library share it."""
        if library not in self._http:
            self._http[library] = import_module(library).AsyncClient(**self.options(library))
        return self._http[library]

    def http_sync(self, library: HttpLibrary) -> Any:
        """Return the synchronous HTTP client of this run."""
        if library not in self._http_sync:
            self._http_sync[library] = import_module(library).Client(**self.options(library))
        return self._http_sync[library]

    def options(self, library: HttpLibrary) -> dict[str, Any]:
        """Return the keyword arguments with which an HTTP client of this run is made."""
        transport = None if self._transport is None else self._transport.of(library)
        limits = import_module(library).Limits(
            max_connections=self._connections, max_keepalive_connections=_IDLE
        )
        return {
            "transport": transport,
            "verify": self.tls,
            "timeout": DEFAULT_TIMEOUT,
            "limits": limits,
        }

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """A TLS context without certificates: making a default one reads them from disk."""
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    async def aclose(self) -> None:
        """Close every connection of the run."""
        for http in self._http.values():
            await http.aclose()
        for sync in self._http_sync.values():
            sync.close()
