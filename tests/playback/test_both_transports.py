"""What both transports do alike, seen by a plain HTTP client: ends, pace, disconnects, errors."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import httpx2
import pytest

from harness.wire.script import Script

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.playback.response_registry import ExchangeLog, ResponseRegistry
    from harness.wire.script import ResponseEnd
    from tests.playback.conftest import Endpoint

FRAMES = (b"data: 1\n\n", b"data: 2\n\n", b"data: 3\n\n")
SHORT_TIMEOUT = httpx2.Timeout(30.0, read=0.3)


async def once(
    registry: ResponseRegistry, key: str, holds: Callable[[ExchangeLog], bool]
) -> ExchangeLog:
    """Wait until the newest exchange satisfies a condition; over a socket this takes a moment."""
    async with asyncio.timeout(30):
        while not holds(registry.exchanges(key)[-1]):  # noqa: ASYNC110 - the other end has no event
            await asyncio.sleep(0.001)
    return registry.exchanges(key)[-1]


async def test_status_headers_and_body_are_those_of_the_script(endpoint: Endpoint) -> None:
    headers = (("content-type", "text/event-stream"), ("X-Request-Id", "r1"), ("x-caf", "\xe9"))
    key = endpoint.registry.register(Script(FRAMES, status=201, headers=headers))
    with endpoint.client() as client:
        response = client.get(f"{endpoint.url}/{key}")
    assert (response.status_code, response.content) == (201, b"".join(FRAMES))
    assert response.reason_phrase == "Created"
    assert response.http_version == "HTTP/1.1"
    assert response.headers["x-request-id"] == "r1"
    assert dict(response.headers.raw)[b"x-caf"] == b"\xe9"


async def test_each_read_of_the_plan_arrives_by_itself(endpoint: Endpoint) -> None:
    key = endpoint.registry.register(Script(FRAMES, cut="awkward", pace=0.002))
    with endpoint.client() as client, client.stream("POST", f"{endpoint.url}/{key}") as response:
        sizes = [len(read) for read in response.iter_raw()]
    async with (
        endpoint.aclient() as aclient,
        aclient.stream("POST", f"{endpoint.url}/{key}") as response,
    ):
        asizes = [len(read) async for read in response.aiter_raw()]
    assert sizes == asizes == [1, 5, 2, 13, 3, 3]


def test_there_is_no_pause_before_the_first_read(endpoint: Endpoint) -> None:
    key = endpoint.registry.register(Script(FRAMES, pace=60.0))
    url = f"{endpoint.url}/{key}"
    with endpoint.client() as client, client.stream("POST", url, timeout=30) as response:
        assert next(response.iter_raw()) == FRAMES[0]  # a pause would be a read timeout


def test_pace_waits_before_each_read_after_the_first(endpoint: Endpoint) -> None:
    key = endpoint.registry.register(Script(FRAMES, pace=0.15))
    start = time.monotonic()
    with endpoint.client() as client, client.stream("POST", f"{endpoint.url}/{key}") as response:
        assert len(list(response.iter_raw())) == 3
    assert time.monotonic() - start >= 0.29


def test_a_recording_is_replayed_with_its_reads_and_pauses(endpoint: Endpoint) -> None:
    recorded = ((4, 0.15), (20, 0.0), (3, 0.15))
    key = endpoint.registry.register(
        Script(FRAMES, cut="recorded", pace="recorded", recorded=recorded)
    )
    start, reads = time.monotonic(), []
    with endpoint.client() as client, client.stream("POST", f"{endpoint.url}/{key}") as response:
        reads += [(len(read), time.monotonic() - start) for read in response.iter_raw()]
    assert [length for length, _ in reads] == [4, 20, 3]
    assert reads[0][1] >= 0.14
    assert reads[2][1] >= 0.29
    with endpoint.client() as client:
        assert client.head(f"{endpoint.url}/{key}").content == b""


@pytest.mark.parametrize("frames", [(), FRAMES])
async def test_a_reset_comes_after_every_byte(
    frames: tuple[bytes, ...], endpoint: Endpoint
) -> None:
    key = endpoint.registry.register(Script(frames, end="reset"))
    with endpoint.client() as client, client.stream("POST", f"{endpoint.url}/{key}") as response:
        got: list[bytes] = []
        with pytest.raises(httpx2.ReadError):
            got.extend(response.iter_raw())
    assert tuple(got) == frames
    logged = await once(endpoint.registry, key, lambda e: e.closed_by is not None)
    assert (logged.bytes_sent, logged.closed_by) == (sum(map(len, frames)), "server")


@pytest.mark.parametrize(("end", "pace"), [("stall", 0.0), ("clean", 9.0)])
async def test_silence_beyond_the_read_timeout_is_a_read_timeout(
    end: ResponseEnd, pace: float, endpoint: Endpoint
) -> None:
    key = endpoint.registry.register(Script(FRAMES[:2] if pace else FRAMES[:1], end=end, pace=pace))
    url = f"{endpoint.url}/{key}"
    with endpoint.client() as client, client.stream("POST", url, timeout=SHORT_TIMEOUT) as response:
        reads = response.iter_raw()
        assert next(reads) == FRAMES[0]
        with pytest.raises(httpx2.ReadTimeout):
            next(reads)
    async with endpoint.aclient() as ac, ac.stream("POST", url, timeout=SHORT_TIMEOUT) as response:
        areads = response.aiter_raw()
        assert await anext(areads) == FRAMES[0]
        with pytest.raises(httpx2.ReadTimeout):
            await anext(areads)
    logged = await once(endpoint.registry, key, lambda e: e.closed_by is not None)
    assert (logged.bytes_sent, logged.closed_by) == (len(FRAMES[0]), "client")


async def test_reading_on_after_closing_is_a_read_error(endpoint: Endpoint) -> None:
    key = endpoint.registry.register(Script(FRAMES[:1], end="stall"))
    url = f"{endpoint.url}/{key}"
    with endpoint.client() as client, client.stream("POST", url) as response:
        reads = response.iter_raw()
        next(reads)
        response.close()
        with pytest.raises(httpx2.ReadError):
            next(reads)
    async with endpoint.aclient() as aclient, aclient.stream("POST", url) as response:
        areads = response.aiter_raw()
        await anext(areads)
        await response.aclose()
        with pytest.raises(httpx2.ReadError):
            await anext(areads)


async def test_a_disconnect_is_logged_without_waiting_for_the_pace(endpoint: Endpoint) -> None:
    key = endpoint.registry.register(Script(FRAMES, pace=60.0))
    with endpoint.client() as client, client.stream("POST", f"{endpoint.url}/{key}") as response:
        reads = response.iter_raw()
        next(reads)
    logged = await once(endpoint.registry, key, lambda e: e.closed_by is not None)
    assert (logged.bytes_sent, logged.closed_by) == (len(FRAMES[0]), "client")


@pytest.mark.parametrize(("end", "pace"), [("stall", 0.0), ("clean", 60.0)])
async def test_a_cancelled_reader_disconnects_and_the_cancellation_propagates(
    end: ResponseEnd, pace: float, endpoint: Endpoint
) -> None:
    key = endpoint.registry.register(Script(FRAMES[:2] if pace else FRAMES[:1], end=end, pace=pace))
    got: list[bytes] = []
    first = asyncio.Event()

    async def read() -> None:
        async with (
            endpoint.aclient() as client,
            client.stream("POST", f"{endpoint.url}/{key}", timeout=None) as response,
        ):
            async for piece in response.aiter_raw():
                got.append(piece)
                first.set()

    reader = asyncio.create_task(read())
    await first.wait()
    await asyncio.sleep(0.01)  # until it waits for the second
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    logged = await once(endpoint.registry, key, lambda e: e.closed_by is not None)
    assert (got, logged.bytes_sent, logged.closed_by) == ([FRAMES[0]], 9, "client")


def test_the_root_names_this_server_and_its_keys(endpoint: Endpoint) -> None:
    with endpoint.client() as client:
        assert "no keys are registered" in client.get(f"{endpoint.url}/").text
        endpoint.registry.register(Script(FRAMES), "openai_chat/text/baseline")
        answer = client.get(f"{endpoint.url}/")
        assert client.head(f"{endpoint.url}/").content == b""
    assert answer.status_code == 200
    assert answer.text.startswith("llm-stream-harness replay: registered keys are openai_chat/")
    assert answer.text.count("\n") == 1


def test_an_unknown_path_lists_a_few_keys_and_how_to_address_them(endpoint: Endpoint) -> None:
    for _ in range(1234):
        endpoint.registry.register(Script(FRAMES))
    with endpoint.client() as client:
        answer = client.post(f"{endpoint.url}/v1/chat/completions", content=b"{}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "error": {
            "type": "not_found_error",
            "message": "no key begins '/v1/chat/completions': registered keys are 1, 2, 3, 4, 5 and"
            " 1,229 more; use BASE_URL/KEY as the provider's base URL,"
            " e.g. POST /KEY/v1/chat/completions",
        }
    }


def test_a_head_request_receives_the_head_alone(endpoint: Endpoint) -> None:
    key = endpoint.registry.register(Script(FRAMES, status=503, end="stall"))
    with endpoint.client() as client:
        for _ in range(2):
            answer = client.head(f"{endpoint.url}/{key}", timeout=SHORT_TIMEOUT)
            assert (answer.status_code, answer.content) == (503, b"")
    assert [e.closed_by for e in endpoint.registry.exchanges(key)] == [None, None]
