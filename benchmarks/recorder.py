"""What the recorder adds to a stream: the same provider read directly and through it, alternately.

The figures are wall time, because provider, recorder and client are three processes: on a loaded
machine the pairs vary, their median varies less. Each side is first as often as the other, and
waits until the recorder has written what it received before. The provider imitates a fast model (a
pause before the first event, then paced events), and sends without waiting while an SDK reads; the
number of events that pass in one read is a detail.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

import httpx2

from benchmarks.measuring import Row
from benchmarks.streams import text_stream
from harness.playback.response_registry import ResponseRegistry
from harness.playback.server import serving
from harness.protocols import protocol
from harness.sdks import open_stream
from harness.sdks.clients import SdkClients
from harness.targets.base import Call
from harness.wire.script import Script

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from multiprocessing.connection import Connection

PACED_PAIRS, UNPACED_PAIRS = 15, 30
LIMIT = 1.05
FIRST_EVENT = 0.2  # seconds before the first event: a fast provider
PACE, PACED = 0.005, 100  # seconds between events (200 per second), and their number
BURST = 20_000  # events in one read
UNPACED = 3_000  # events that arrive as fast as an SDK reads them
SETTLE = 0.5  # seconds in which the recorder writes them, with a margin
_EVENT = (
    b"event: content_block_delta\n"
    b'data: {"type":"content_block_delta","index":0,'
    b'"delta":{"type":"text_delta","text":" and so on"}}\n\n'
)
# Prints the recorder's address and runs until its stdin is closed.
_WAITING = "import os, sys; print(os.environ['P_BASE_URL'], flush=True); sys.stdin.read()"


class Times(NamedTuple):
    """Seconds from the request to the first byte, and to the last one."""

    first: float
    last: float


async def rows() -> AsyncIterator[Row]:
    """Yield the recorder's rows."""
    with _provider() as direct, _recording(direct) as recorded:
        async with httpx2.AsyncClient(trust_env=False, timeout=60) as client:
            for row in await _compared(client, direct, recorded):
                yield row
        yield await _unpaced(direct, recorded)


@contextmanager
def _provider() -> Iterator[str]:
    """Run the provider in its own process; yield its address."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_provide, args=(theirs,))
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.close()
        process.join()


def _provide(connection: Connection) -> None:
    registry = ResponseRegistry()
    reads = ((len(_EVENT), FIRST_EVENT), *((len(_EVENT), PACE),) * (PACED - 1))
    registry.register(
        Script((_EVENT,) * PACED, cut="recorded", pace="recorded", recorded=reads), "paced"
    )
    registry.register(Script((_EVENT,) * BURST, cut="whole"), "burst")
    registry.register(text_stream("anthropic_messages", UNPACED), "unpaced")
    with serving(registry) as url, suppress(EOFError):
        connection.send(url)
        connection.recv()  # ends when the other side closes


async def _compared(client: httpx2.AsyncClient, direct: str, recorded: str) -> list[Row]:
    pairs = []
    for number in range(PACED_PAIRS + 2):
        order = (direct, recorded) if number % 2 else (recorded, direct)
        times = {url: await _read(client, f"{url}/paced/v1") for url in order}
        pairs.append((times[recorded], times[direct]))
    burst = {url: await _read(client, f"{url}/burst/v1") for url in (direct, recorded)}
    first = [statistics.median(pair[side].first for pair in pairs[2:]) for side in (0, 1)]
    latency = statistics.median(a.first / b.first for a, b in pairs[2:])
    ratio = statistics.median(a.last / b.last for a, b in pairs[2:])
    speeds = [BURST / burst[url].last for url in (recorded, direct)]
    return [
        Row("recorder: first byte, after 200 ms", latency, LIMIT,
            f"{first[0] * 1e3:.1f} ms, direct {first[1] * 1e3:.1f} ms"),
        Row("recorder: a whole stream, 200 events/s", ratio, LIMIT,
            f"in one read: {speeds[0]:,.0f} events/s, direct {speeds[1]:,.0f}"),
    ]  # fmt: skip


async def _unpaced(direct: str, recorded: str) -> Row:
    """Have the fastest SDK read a stream that arrives without pauses."""
    clients = SdkClients()

    async def seconds(url: str) -> float:
        call = Call("anthropic_messages", f"{url}/unpaced", protocol("anthropic_messages").request)
        started = perf_counter()
        async for _ in await open_stream(clients, call):
            pass
        return perf_counter() - started

    pairs = []
    for number in range(UNPACED_PAIRS + 2):
        times = {}
        for url in (direct, recorded) if number % 2 else (recorded, direct):
            await asyncio.sleep(SETTLE)
            times[url] = await seconds(url)
        pairs.append((times[recorded], times[direct]))
    await clients.aclose()
    ratio = statistics.median(a / b for a, b in pairs[2:])
    speeds = [UNPACED / statistics.median(pair[side] for pair in pairs[2:]) for side in (0, 1)]
    detail = f"{speeds[0]:,.0f} events/s, direct {speeds[1]:,.0f}"
    return Row("recorder: the anthropic SDK, unpaced", ratio, LIMIT, detail)


async def _read(client: httpx2.AsyncClient, url: str) -> Times:
    started = perf_counter()
    first = 0.0
    async with client.stream("POST", url, json={"stream": True}) as response:
        async for _ in response.aiter_raw():
            first = first or perf_counter() - started
    return Times(first, perf_counter() - started)


@contextmanager
def _recording(upstream: str) -> Iterator[str]:
    """Run the recorder as users do; yield the address that it printed."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable, "-m", "harness", "record", "--mode", "rewrite",
            "--cassette", str(Path(folder, "a.yaml")), "--upstream", f"p={upstream}",
            "--", sys.executable, "-c", _WAITING,
        ]  # fmt: skip
        process = subprocess.Popen(  # noqa: S603 - our own command
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, env=dict(os.environ),
        )  # fmt: skip
        assert process.stdin  # noqa: S101 - both are pipes
        assert process.stdout  # noqa: S101
        try:
            yield process.stdout.readline().strip()
        finally:
            process.communicate()


if __name__ == "__main__":

    async def _print() -> None:
        async for row in rows():
            print(row)

    asyncio.run(_print())
