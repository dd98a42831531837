"""What both speakers do alike, seen by a bare HTTP client: ends, pace, leaving, notices."""

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
    from tests.playback.conftest import Road

FRAMES = (b"data: 1\n\n", b"data: 2\n\n", b"data: 3\n\n")
HASTE = httpx2.Timeout(5.0, read=0.05)


async def once(
    stage: ResponseRegistry, key: str, holds: Callable[[ExchangeLog], bool]
) -> ExchangeLog:
    """Wait until the newest evidence holds; over a socket, the server learns of it in its time."""
    async with asyncio.timeout(2):
        while not holds(stage.evidence(key)[-1]):  # noqa: ASYNC110 - the other end has no event
            await asyncio.sleep(0.001)
    return stage.evidence(key)[-1]


async def test_status_headers_and_body_are_those_of_the_script(road: Road) -> None:
    headers = (("content-type", "text/event-stream"), ("X-Request-Id", "r1"), ("x-caf", "\xe9"))
    key = road.stage.put(Script(FRAMES, status=201, headers=headers))
    with road.client() as client:
        response = client.get(f"{road.url}/{key}")
    assert (response.status_code, response.content) == (201, b"".join(FRAMES))
    assert response.reason_phrase == "Created"
    assert response.http_version == "HTTP/1.1"
    assert response.headers["x-request-id"] == "r1"
    assert dict(response.headers.raw)[b"x-caf"] == b"\xe9"


async def test_each_read_of_the_plan_arrives_by_itself(road: Road) -> None:
    key = road.stage.put(Script(FRAMES, cut="awkward", pace=0.002))
    with road.client() as client, client.stream("POST", f"{road.url}/{key}") as response:
        sizes = [len(read) for read in response.iter_raw()]
    async with road.aclient() as aclient, aclient.stream("POST", f"{road.url}/{key}") as response:
        asizes = [len(read) async for read in response.aiter_raw()]
    assert sizes == asizes == [1, 5, 2, 13, 3, 3]


def test_pace_waits_before_each_read_after_the_first(road: Road) -> None:
    key = road.stage.put(Script(FRAMES, pace=0.15))
    with road.client() as client, client.stream("POST", f"{road.url}/{key}") as response:
        reads, start = response.iter_raw(), time.monotonic()
        next(reads)
        first = time.monotonic() - start
        assert len(list(reads)) == 2
        last = time.monotonic() - start
    assert first < 0.14
    assert last >= 0.29


def test_a_recording_is_spoken_in_its_reads_with_its_pauses(road: Road) -> None:
    recorded = ((4, 0.15), (20, 0.0), (3, 0.15))
    key = road.stage.put(Script(FRAMES, cut="recorded", pace="recorded", recorded=recorded))
    start, reads = time.monotonic(), []
    with road.client() as client, client.stream("POST", f"{road.url}/{key}") as response:
        reads += [(len(read), time.monotonic() - start) for read in response.iter_raw()]
    assert [length for length, _ in reads] == [4, 20, 3]
    assert reads[0][1] >= 0.14
    assert reads[2][1] >= 0.29
    with road.client() as client:
        assert client.head(f"{road.url}/{key}").content == b""


@pytest.mark.parametrize("frames", [(), FRAMES])
async def test_a_reset_comes_after_every_byte(frames: tuple[bytes, ...], road: Road) -> None:
    key = road.stage.put(Script(frames, end="reset"))
    with road.client() as client, client.stream("POST", f"{road.url}/{key}") as response:
        got: list[bytes] = []
        with pytest.raises(httpx2.ReadError):
            got.extend(response.iter_raw())
    assert tuple(got) == frames
    evidence = await once(road.stage, key, lambda e: e.closed_by is not None)
    assert (evidence.bytes_sent, evidence.closed_by) == (sum(map(len, frames)), "server")


@pytest.mark.parametrize(("end", "pace"), [("stall", 0.0), ("clean", 9.0)])
async def test_silence_beyond_the_read_timeout_is_a_read_timeout(
    end: ResponseEnd, pace: float, road: Road
) -> None:
    key = road.stage.put(Script(FRAMES[:2] if pace else FRAMES[:1], end=end, pace=pace))
    url = f"{road.url}/{key}"
    with road.client() as client, client.stream("POST", url, timeout=HASTE) as response:
        reads = response.iter_raw()
        assert next(reads) == FRAMES[0]
        with pytest.raises(httpx2.ReadTimeout):
            next(reads)
    async with road.aclient() as ac, ac.stream("POST", url, timeout=HASTE) as response:
        areads = response.aiter_raw()
        assert await anext(areads) == FRAMES[0]
        with pytest.raises(httpx2.ReadTimeout):
            await anext(areads)
    evidence = await once(road.stage, key, lambda e: e.closed_by is not None)
    assert (evidence.bytes_sent, evidence.closed_by) == (len(FRAMES[0]), "client")


async def test_reading_on_after_closing_is_a_read_error(road: Road) -> None:
    key = road.stage.put(Script(FRAMES[:1], end="stall"))
    url = f"{road.url}/{key}"
    with road.client() as client, client.stream("POST", url) as response:
        reads = response.iter_raw()
        next(reads)
        response.close()
        with pytest.raises(httpx2.ReadError):
            next(reads)
    async with road.aclient() as aclient, aclient.stream("POST", url) as response:
        areads = response.aiter_raw()
        await anext(areads)
        await response.aclose()
        with pytest.raises(httpx2.ReadError):
            await anext(areads)


async def test_a_client_that_closes_is_noticed_at_once(road: Road) -> None:
    key = road.stage.put(Script(FRAMES, pace=60.0))
    with road.client() as client, client.stream("POST", f"{road.url}/{key}") as response:
        reads = response.iter_raw()
        next(reads)
    left = time.monotonic()
    evidence = await once(road.stage, key, lambda e: e.closed_by is not None)
    assert (evidence.bytes_sent, evidence.closed_by) == (len(FRAMES[0]), "client")
    assert time.monotonic() - left < 0.5


@pytest.mark.parametrize(("end", "pace"), [("stall", 0.0), ("clean", 60.0)])
async def test_a_cancelled_reader_leaves_and_the_cancellation_goes_on(
    end: ResponseEnd, pace: float, road: Road
) -> None:
    key = road.stage.put(Script(FRAMES[:2] if pace else FRAMES[:1], end=end, pace=pace))
    got: list[bytes] = []
    first = asyncio.Event()

    async def read() -> None:
        async with (
            road.aclient() as client,
            client.stream("POST", f"{road.url}/{key}", timeout=None) as response,
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
    evidence = await once(road.stage, key, lambda e: e.closed_by is not None)
    assert (got, evidence.bytes_sent, evidence.closed_by) == ([FRAMES[0]], 9, "client")


def test_root_says_what_answers_here(road: Road) -> None:
    with road.client() as client:
        assert "no keys are registered" in client.get(f"{road.url}/").text
        road.stage.put(Script(FRAMES), "openai_chat/text/baseline")
        answer = client.get(f"{road.url}/")
        assert client.head(f"{road.url}/").content == b""
    assert answer.status_code == 200
    assert answer.text.startswith("llm-stream-harness replay: registered keys are openai_chat/")
    assert answer.text.count("\n") == 1


def test_an_unknown_path_names_a_few_keys_and_the_cure(road: Road) -> None:
    for _ in range(1234):
        road.stage.put(Script(FRAMES))
    with road.client() as client:
        answer = client.post(f"{road.url}/v1/chat/completions", content=b"{}")
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


def test_a_head_request_gets_the_head_alone(road: Road) -> None:
    key = road.stage.put(Script(FRAMES, status=503, end="stall"))
    with road.client() as client:
        for _ in range(2):
            answer = client.head(f"{road.url}/{key}", timeout=HASTE)
            assert (answer.status_code, answer.content) == (503, b"")
    assert [e.closed_by for e in road.stage.evidence(key)] == [None, None]
