"""1,000 streams at once through ``harness demo``: none is lost, and the memory stays.

Then 1,000 runs without a client, kept in a Redis of its own, and as many who follow them.

Memory is the resident set of the server's process, as the system counts it, because a leak of
anything, Python's or not, would show there. The crowd comes twice: allocators keep what the first
one needed, so the second is held against what stood after the first. Nothing is trimmed.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.load import Crowd, Demo, crowd, followed, median, private_redis
from benchmarks.measuring import Row

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

STREAMS = 1000
# Slow enough that the first is still told when the last begins; the rest of a second is the CPU's.
QUERY = "model=openai_responses/baseline/text&pace=2"
SECONDS_LIMIT, MEMORY_LIMIT = 120, 1.10


async def rows() -> AsyncIterator[Row]:
    """Yield what was lost, the time, and the memory of the second crowd over the first."""
    with private_redis() as redis:
        for rows in (await _streamed(), await _followed(redis)):
            for row in rows:
                yield row


async def _streamed() -> list[Row]:
    with Demo() as demo:
        fresh = demo.resident
        await crowd(demo, STREAMS, QUERY)
        before, spent, started = demo.resident, demo.cpu, perf_counter()
        second = await crowd(demo, STREAMS, QUERY)
        seconds, spent, after = perf_counter() - started, demo.cpu - spent, demo.resident
    time = f"{spent:.1f} CPU s of the server, {spent * 1000 / STREAMS:.1f} ms a stream"
    memory = f"{before:.0f} -> {after:.0f} MiB resident; {fresh:.0f} before the first crowd"
    return [
        *_lost(f"{STREAMS} streams", second),
        Row(f"{STREAMS} streams: seconds", seconds, SECONDS_LIMIT, time),
        Row(f"{STREAMS} streams: memory", after / before, MEMORY_LIMIT, memory),
    ]


async def _followed(redis: str | None) -> list[Row]:
    """Return the same of runs without a client, each followed; nothing where there is no Redis."""
    if redis is None:
        return []
    with Demo("--redis", redis) as demo:
        return _lost(f"{STREAMS} followed", await crowd(demo, STREAMS, QUERY, followed))


def _lost(what: str, found: Crowd) -> list[Row]:
    each = median(told.seconds for told in found.told)
    detail = f"each ends with one stop reason and one [DONE]; {each:.1f} s a stream (median)"
    most = f"{found.most} runs went on at the same moment"
    return [
        Row(f"{what}: lost", len(found.lost), 0, detail),
        Row(f"{what}: missing from the crowd", STREAMS - found.most, 0, most),
    ]
