"""A stored run is aborted in every way at every moment, over a real Redis."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from harness.streaming.serving import BackgroundRuns
from tests.streaming.serving.abort_sweep import WAYS, at_await_point, sweep
from tests.streaming.serving.background.stored_runs import PREFIX, new_id, opened
from tests.streaming.serving.service_env import SILENCE, Received, text

if TYPE_CHECKING:
    from tests.streaming.serving.service_env import ServiceEnv

SCRIPTS: dict[str, tuple[list[Any], Any]] = {
    "text": ([text("a"), text("b"), "end_turn"], "end_turn"),
    "silent": ([text("a"), SILENCE], "cancelled"),
}
FEWEST = {at_await_point: 15, WAYS["close"]: 3}  # moments, those that wait for Redis included


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("script", SCRIPTS)
async def test_a_stored_run_ends_correctly_wherever_it_is_aborted(
    env: ServiceEnv, redis: Any, script: str, way: str
) -> None:
    assert redis
    items, natural = SCRIPTS[script]
    async with opened(
        prefix=f"{PREFIX}:{new_id()}"
    ) as event_store:  # a prefix of its own: ids are used again
        stored_runs: Any = BackgroundRuns(env.scripted(items), event_store)
        assert await sweep(env, stored_runs, way, natural) >= FEWEST[WAYS[way]]


async def test_starting_a_run_can_be_cancelled_at_every_moment(env: ServiceEnv, redis: Any) -> None:
    assert redis
    async with opened(prefix=f"{PREFIX}:{new_id()}") as event_store:
        for turns in count():  # of the event loop
            stored_runs = BackgroundRuns(env.scripted([text("a"), SILENCE]), event_store)
            request = env.request(run_id=f"start-{turns}")
            starting = asyncio.create_task(stored_runs.start(request))
            for _ in range(turns):
                await asyncio.sleep(0)
            in_time = starting.cancel()
            await asyncio.wait({starting})
            await stored_runs.aclose()
            received = Received(f"start-{turns}", aborted=True)
            assert await env.violations(received, {"cancelled"}) == []
            if not in_time:
                break
    assert turns > 5
