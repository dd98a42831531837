"""A registry for each test, and the two transports to it: a socket and memory."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, NamedTuple

import httpx2
import pytest

from harness.playback.response_registry import ResponseRegistry
from harness.playback.server import serving
from harness.playback.transport import MEMORY_URL, memory_transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # plain HTTP only; a real one costs 60 ms


class Endpoint(NamedTuple):
    """How a client reaches the registry: the URL, and HTTP clients for it."""

    registry: ResponseRegistry
    url: str
    client: Callable[[], httpx2.Client]
    aclient: Callable[[], httpx2.AsyncClient]


@pytest.fixture
def registry() -> ResponseRegistry:
    return ResponseRegistry()


@pytest.fixture
def socket_endpoint(registry: ResponseRegistry) -> Iterator[Endpoint]:
    with serving(registry) as url:
        yield Endpoint(
            registry,
            url,
            lambda: httpx2.Client(transport=httpx2.HTTPTransport(verify=NO_TLS)),
            lambda: httpx2.AsyncClient(transport=httpx2.AsyncHTTPTransport(verify=NO_TLS)),
        )


@pytest.fixture
def memory_endpoint(registry: ResponseRegistry) -> Endpoint:
    return Endpoint(
        registry,
        MEMORY_URL,
        lambda: httpx2.Client(transport=memory_transport(registry)),
        lambda: httpx2.AsyncClient(transport=memory_transport(registry)),
    )


@pytest.fixture(params=["socket", "memory"])
def endpoint(request: pytest.FixtureRequest) -> Endpoint:
    found: Endpoint = request.getfixturevalue(f"{request.param}_endpoint")
    return found
