"""Errors only the in-memory transport could have: bodies read twice, reads that never suspend."""

from __future__ import annotations

import asyncio
import threading
import time

import httpx2
import pytest

from harness.playback.response_registry import ResponseRegistry
from harness.playback.transport import MEMORY_URL, memory_transport
from harness.wire.script import Script

FRAMES = (b"data: 1\n\n", b"data: 2\n\n", b"data: 3\n\n")


async def test_a_body_is_read_once_however_often_it_is_iterated(registry: ResponseRegistry) -> None:
    """The openai SDK iterates the remaining stream once more after [DONE]."""
    key = registry.register(Script(FRAMES))
    client = httpx2.AsyncClient(transport=memory_transport(registry))
    async with client, client.stream("POST", f"{MEMORY_URL}/{key}") as response:
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        first = aiter(response.stream)
        assert await anext(first) == FRAMES[0]
        assert [read async for read in response.stream] == [*FRAMES[1:]]
        assert [read async for read in response.stream] == []
    assert registry.exchanges(key)[0].bytes_sent == sum(map(len, FRAMES))


async def test_a_reader_cancelled_between_reads_receives_no_more(
    registry: ResponseRegistry,
) -> None:
    key = registry.register(Script(FRAMES))
    got: list[bytes] = []

    async def read() -> None:
        client = httpx2.AsyncClient(transport=memory_transport(registry))
        async with client, client.stream("POST", f"{MEMORY_URL}/{key}") as response:
            async for piece in response.aiter_raw():
                got.append(piece)
                reader.cancel()

    reader = asyncio.create_task(read())
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert got == [FRAMES[0]]
    assert registry.exchanges(key)[0].closed_by == "client"


async def test_closing_wakes_a_reader_that_waits(registry: ResponseRegistry) -> None:
    key = registry.register(Script((), end="stall"))
    client = httpx2.AsyncClient(transport=memory_transport(registry))
    async with client, client.stream("POST", f"{MEMORY_URL}/{key}", timeout=None) as response:
        reads = response.aiter_raw()
        waiting = asyncio.ensure_future(anext(reads))
        await asyncio.sleep(0.01)
        await response.aclose()
        with pytest.raises(httpx2.ReadError):
            await waiting


def test_closing_from_another_thread_wakes_a_reader_that_waits(registry: ResponseRegistry) -> None:
    key = registry.register(Script((b"begun",), end="stall"))
    client = httpx2.Client(transport=memory_transport(registry))
    with client, client.stream("POST", f"{MEMORY_URL}/{key}", timeout=None) as response:
        reads = response.iter_raw()
        next(reads)  # a response that is closed before the first read raises another error
        threading.Timer(0.01, response.close).start()
        start = time.monotonic()
        with pytest.raises(httpx2.ReadError):
            next(reads)
        assert time.monotonic() - start < 5


def test_transports_of_one_library_share_their_class(registry: ResponseRegistry) -> None:
    first, second = memory_transport(registry), memory_transport(ResponseRegistry())
    assert type(first) is type(second)
    assert isinstance(first, httpx2.BaseTransport)
    assert isinstance(first, httpx2.AsyncBaseTransport)
