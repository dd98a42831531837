"""A stage for each test, and the two roads to it: a real socket and memory."""

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


class Road(NamedTuple):
    """How a client reaches the stage: the address, and HTTP clients that can go there."""

    stage: ResponseRegistry
    url: str
    client: Callable[[], httpx2.Client]
    aclient: Callable[[], httpx2.AsyncClient]


@pytest.fixture
def stage() -> ResponseRegistry:
    return ResponseRegistry()


@pytest.fixture
def socket_road(stage: ResponseRegistry) -> Iterator[Road]:
    with serving(stage) as url:
        yield Road(
            stage,
            url,
            lambda: httpx2.Client(transport=httpx2.HTTPTransport(verify=NO_TLS)),
            lambda: httpx2.AsyncClient(transport=httpx2.AsyncHTTPTransport(verify=NO_TLS)),
        )


@pytest.fixture
def memory_road(stage: ResponseRegistry) -> Road:
    return Road(
        stage,
        MEMORY_URL,
        lambda: httpx2.Client(transport=memory_transport(stage)),
        lambda: httpx2.AsyncClient(transport=memory_transport(stage)),
    )


@pytest.fixture(params=["socket", "memory"])
def road(request: pytest.FixtureRequest) -> Road:
    found: Road = request.getfixturevalue(f"{request.param}_road")
    return found
