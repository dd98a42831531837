"""A stage for each test, and the two roads to it: a real socket and memory."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, NamedTuple

import httpx2
import pytest

from harness.replay.server import serving
from harness.replay.stage import Stage
from harness.replay.transport import MEMORY_URL, memory_transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # plain HTTP only; a real one costs 60 ms


class Road(NamedTuple):
    """How a client reaches the stage: the address, and HTTP clients that can go there."""

    stage: Stage
    url: str
    client: Callable[[], httpx2.Client]
    aclient: Callable[[], httpx2.AsyncClient]


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def socket_road(stage: Stage) -> Iterator[Road]:
    with serving(stage) as url:
        yield Road(
            stage,
            url,
            lambda: httpx2.Client(transport=httpx2.HTTPTransport(verify=NO_TLS)),
            lambda: httpx2.AsyncClient(transport=httpx2.AsyncHTTPTransport(verify=NO_TLS)),
        )


@pytest.fixture
def memory_road(stage: Stage) -> Road:
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
