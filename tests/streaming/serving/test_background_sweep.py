"""A client whose frames are kept, too, leaves at every moment by every way, over a real Redis."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from harness.streaming.serving import BackgroundRuns
from tests.streaming.serving.aborting import WAYS, at_await_point, sweep
from tests.streaming.serving.background.runs import PREFIX, new_id, tuned
from tests.streaming.serving.world import SILENCE, Heard, text

if TYPE_CHECKING:
    from tests.streaming.serving.world import World

SCRIPTS: dict[str, tuple[list[Any], Any]] = {
    "text": ([text("a"), text("b"), "end_turn"], "end_turn"),
    "silent": ([text("a"), SILENCE], "cancelled"),
}
FEWEST = {at_await_point: 15, WAYS["close"]: 3}  # moments, those of Redis included


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("script", SCRIPTS)
async def test_a_kept_run_ends_well_wherever_its_client_leaves(
    world: World, redis: Any, script: str, way: str
) -> None:
    assert redis
    items, natural = SCRIPTS[script]
    async with tuned(prefix=f"{PREFIX}:{new_id()}") as background:  # ids are used again
        kept: Any = BackgroundRuns(world.service(items), background)
        assert await sweep(world, kept, way, natural) >= FEWEST[WAYS[way]]


async def test_whoever_starts_a_run_may_give_up_at_every_moment(world: World, redis: Any) -> None:
    assert redis
    async with tuned(prefix=f"{PREFIX}:{new_id()}") as background:
        for turns in count():  # of the event loop
            kept = BackgroundRuns(world.service([text("a"), SILENCE]), background)
            request = world.request(run_id=f"start-{turns}")
            starting = asyncio.create_task(kept.start(request))
            for _ in range(turns):
                await asyncio.sleep(0)
            in_time = starting.cancel()
            await asyncio.wait({starting})
            await kept.aclose()
            heard = Heard(f"start-{turns}", left=True)
            assert await world.complaints(heard, {"cancelled"}) == []
            if not in_time:
                break
    assert turns > 5
