"""1,000 streams at once through ``harness demo``: none is lost, and the memory does not grow.

Then 1,000 runs without a client, stored in a private Redis, and as many clients that follow them.

Memory is the resident set of the server's process as the system counts it, because a leak of any
kind, in Python or not, shows there. The load test runs twice: allocators keep what the first batch
needed, so the second is compared with what remained after the first. Nothing is trimmed.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.load import Demo, LoadResult, follow, load_test, median, private_redis
from benchmarks.measuring import Row

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

STREAMS = 1000
# Slow enough that the first stream still runs when the last one begins; the rest is CPU time.
QUERY = "model=openai_responses/baseline/text&pace=2"
SECONDS_LIMIT, MEMORY_LIMIT = 120, 1.10


async def rows() -> AsyncIterator[Row]:
    """Yield the lost streams, the time, and the memory of the second batch over the first."""
    with private_redis() as redis:
        for rows in (await _streamed(), await _followed(redis)):
            for row in rows:
                yield row


async def _streamed() -> list[Row]:
    with Demo() as demo:
        fresh = demo.resident
        await load_test(demo, STREAMS, QUERY)
        before, cpu, started = demo.resident, demo.cpu, perf_counter()
        second = await load_test(demo, STREAMS, QUERY)
        seconds, cpu, after = perf_counter() - started, demo.cpu - cpu, demo.resident
    time = f"{cpu:.1f} CPU s of the server, {cpu * 1000 / STREAMS:.1f} ms per stream"
    memory = f"{before:.0f} -> {after:.0f} MiB resident; {fresh:.0f} before the first batch"
    return [
        *_lost(f"{STREAMS} streams", second),
        Row(f"{STREAMS} streams: seconds", seconds, SECONDS_LIMIT, time),
        Row(f"{STREAMS} streams: memory", after / before, MEMORY_LIMIT, memory),
    ]


async def _followed(redis: str | None) -> list[Row]:
    """Return the rows of runs without a client, each of them followed; none without a Redis."""
    if redis is None:
        return []
    with Demo("--redis", redis) as demo:
        return _lost(f"{STREAMS} followed", await load_test(demo, STREAMS, QUERY, follow))


def _lost(what: str, result: LoadResult) -> list[Row]:
    each = median(stream.seconds for stream in result.streams)
    detail = f"each ends with one stop reason and one [DONE]; {each:.1f} s per stream (median)"
    return [
        Row(f"{what}: lost", len(result.lost), 0, detail),
        Row(
            f"{what}: not at the same time",
            STREAMS - result.most_at_once,
            0,
            f"{result.most_at_once} runs were active at the same moment",
        ),
    ]
