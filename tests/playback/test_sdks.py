"""The installed SDKs through both transports: same events, same errors, same exchange log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anthropic
import httpx2
import openai
import pytest
from google.genai import errors as genai_errors

from harness.wire.script import Script
from tests.playback.sdk_requests import ROWS, TEXTS, Row

if TYPE_CHECKING:
    from harness.wire.script import ResponseEnd
    from tests.playback.conftest import Endpoint

PLANS = ("whole", "event", "byte", "awkward", "offset:9", "random:1", "random:2")
JSON = (("content-type", "application/json"),)

each_row = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
one_per_protocol = pytest.mark.parametrize("row", ROWS[:4], ids=[row.name for row in ROWS[:4]])


def collect(row: Row, endpoint: Endpoint, key: str, events: list[Any]) -> None:
    with endpoint.client() as client:
        for event in row.stream(f"{endpoint.url}/{key}", client):
            events.append(event)  # noqa: PERF402 - what came before an error must be kept


async def acollect(row: Row, endpoint: Endpoint, key: str, events: list[Any]) -> None:
    async with endpoint.aclient() as client:
        async for event in row.astream(f"{endpoint.url}/{key}", client):
            events.append(event)  # noqa: PERF401 - as above


async def collect_all_ways(
    row: Row, endpoints: tuple[Endpoint, ...], script: Script
) -> list[list[Any]]:
    received: list[list[Any]] = []
    for endpoint in endpoints:
        key = endpoint.registry.register(script)
        received += [[], []]
        collect(row, endpoint, key, received[-2])
        await acollect(row, endpoint, key, received[-1])
    return received


@each_row
async def test_both_transports_deliver_the_same_events_for_every_cut(
    row: Row, socket_endpoint: Endpoint, memory_endpoint: Endpoint
) -> None:
    endpoints = (socket_endpoint, memory_endpoint)
    received: list[list[Any]] = []
    for plan in PLANS:
        received += await collect_all_ways(row, endpoints, Script(row.frames, cut=plan))
    first = received[0]
    assert len(first) == row.events
    assert all(json.dumps(word) in json.dumps(first) for word in TEXTS)
    assert all(events == first for events in received)


@each_row
def test_the_log_has_the_request_of_the_sdk(row: Row, endpoint: Endpoint) -> None:
    key = endpoint.registry.register(Script(row.frames), f"scenario/{row.name}")
    collect(row, endpoint, key, [])
    (logged,) = endpoint.registry.exchanges(key)
    assert (logged.method, logged.path) == ("POST", row.path)
    assert '"hi"' in logged.body.decode()
    assert "user-agent" in dict(logged.headers)
    assert logged.bytes_sent == sum(map(len, row.frames))
    assert logged.closed_by is None


# The classes each SDK documents for a status; google-genai has one for 4xx and one for 5xx.
STATUSES = [
    (ROWS[0], 401, openai.AuthenticationError),
    (ROWS[0], 429, openai.RateLimitError),
    (ROWS[0], 500, openai.InternalServerError),
    (ROWS[1], 503, openai.InternalServerError),
    (ROWS[2], 401, anthropic.AuthenticationError),
    (ROWS[2], 429, anthropic.RateLimitError),
    (ROWS[2], 500, anthropic.InternalServerError),
    (ROWS[2], 529, anthropic.InternalServerError),
    (ROWS[3], 401, genai_errors.ClientError),
    (ROWS[3], 429, genai_errors.ClientError),
    (ROWS[3], 503, genai_errors.ServerError),
]


@pytest.mark.parametrize(
    ("row", "status", "kind"), STATUSES, ids=[f"{row.name}-{status}" for row, status, _ in STATUSES]
)
async def test_an_error_status_raises_the_class_of_the_sdk(
    row: Row, status: int, kind: type[Exception], endpoint: Endpoint
) -> None:
    body = {"error": {"code": status, "type": "t", "status": "S", "message": "scripted message"}}
    script = Script((json.dumps(body).encode(),), status=status, headers=JSON)
    key = endpoint.registry.register(script)
    with pytest.raises(kind, match="scripted message"):
        collect(row, endpoint, key, [])
    with pytest.raises(kind, match="scripted message"):
        await acollect(row, endpoint, key, [])


# The exceptions an SDK raises for a lost connection and for a read timeout.
LOST = {
    "openai_chat": (openai.APIConnectionError, openai.APITimeoutError),
    "openai_responses": (openai.APIConnectionError, openai.APITimeoutError),
    "anthropic_messages": (httpx2.ReadError, httpx2.ReadTimeout),
    "gemini_v1": (httpx2.ReadError, httpx2.ReadTimeout),
}


@one_per_protocol
@pytest.mark.parametrize("cut", ["event", "awkward"])
async def test_a_reset_raises_the_same_class_after_the_same_events(
    row: Row, cut: str, endpoint: Endpoint
) -> None:
    key = endpoint.registry.register(Script(row.frames[:-1], cut=cut, end="reset"))
    received: list[Any] = []
    areceived: list[Any] = []
    with pytest.raises(LOST[row.name][0]) as raised:
        collect(row, endpoint, key, received)
    with pytest.raises(LOST[row.name][0]) as araised:
        await acollect(row, endpoint, key, areceived)
    # All but the last event came; the last frame of a chat, [DONE], is not an event.
    assert received == areceived
    assert len(received) == row.events - (row.name != "openai_chat")
    assert {type(raised.value), type(araised.value)} == {LOST[row.name][0]}
    assert {logged.closed_by for logged in endpoint.registry.exchanges(key)} == {"server"}


@pytest.mark.parametrize("end", ["stall", "clean"])
@pytest.mark.parametrize("kind", ["openai", "anthropic"])
def test_silence_beyond_the_read_timeout_is_a_timeout(
    kind: str, end: ResponseEnd, endpoint: Endpoint
) -> None:
    """A long pace and a stall are the same to the client."""
    row = {"openai": ROWS[0], "anthropic": ROWS[2]}[kind]
    frames = row.frames[:1] if end == "stall" else row.frames
    key = endpoint.registry.register(Script(frames, end=end, pace=9.0))
    timeout = httpx2.Timeout(30.0, read=0.3)
    sdk: Any = {"openai": openai.OpenAI, "anthropic": anthropic.Anthropic}[kind]
    with endpoint.client() as client:
        client_ = sdk(
            api_key="k",
            base_url=f"{endpoint.url}/{key}",
            max_retries=0,
            timeout=timeout,
            http_client=client,
        )
        asked: dict[str, Any] = {"model": "m", "messages": [], "stream": True, "max_tokens": 9}
        ask = client_.chat.completions if kind == "openai" else client_.messages
        stream = ask.create(**asked)
        assert next(stream)
        with pytest.raises(LOST[row.name][1]):
            next(stream)


async def test_two_streams_of_an_sdk_share_one_connection(socket_endpoint: Endpoint) -> None:
    key = socket_endpoint.registry.register(Script(ROWS[0].frames))
    async with socket_endpoint.aclient() as client:
        for _ in range(2):
            events = [e async for e in ROWS[0].astream(f"{socket_endpoint.url}/{key}", client)]
            assert len(events) == ROWS[0].events
        transport: Any = client._transport
        (connection,) = transport._pool.connections
        assert "Request Count: 2" in connection.info()
