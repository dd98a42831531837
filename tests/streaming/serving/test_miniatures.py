"""Services with one defect each: the sweep of the service catches them, too.

The defects are those of ``tests.miniatures.broken_layers``, on which the sweep through the whole
stack is tried; here they stand over real databases and a real clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.miniatures.broken_layers import SINNERS, Abandons
from tests.streaming.serving.aborting import sweep
from tests.streaming.serving.world import SILENCE, text

if TYPE_CHECKING:
    from tests.streaming.serving.world import World

# A miniature -> how its run is left, and what is complained of.
CAUGHT = {
    "LosesTheEnd": ("fire", "frames: .*end"),
    "Remembers": ("close", "the registry remembers the run"),
    "Abandons": ("close", "the run is (created|running).*conversation is held"),
    "NeverReleases": ("close", "tasks are left.*conversation is held"),
    "Swallows": ("cancel", "frames: .*end"),
}


@pytest.mark.parametrize("name", CAUGHT)
async def test_the_sweep_catches(world: World, name: str) -> None:
    way, complaint = CAUGHT[name]
    [layers] = [sinner.layers for sinner in SINNERS if sinner.name == name]
    world.registry = layers.registry()
    script = [text("a"), text("b"), SILENCE]
    service = world.serving(world.agent(script), layers.service, registry=world.registry)
    try:
        with pytest.raises(AssertionError, match=complaint):
            await sweep(world, service, way, "cancelled")
    finally:
        while Abandons.held:
            await Abandons.held.pop().aclose()
