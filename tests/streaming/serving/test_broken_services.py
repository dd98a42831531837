"""The abort sweep of the service finds the defect of each broken service.

The broken services are those of ``tests.miniatures.broken_layers``, which also test the sweep of
the full stack; here they use real databases and the real clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.miniatures.broken_layers import BROKEN_LAYERS, Abandons
from tests.streaming.serving.abort_sweep import sweep
from tests.streaming.serving.service_env import SILENCE, text

if TYPE_CHECKING:
    from tests.streaming.serving.service_env import ServiceEnv

# Broken service -> how its run is aborted, and the violation that must be found.
FOUND = {
    "LosesTheEnd": ("fire", "events: .*end"),
    "Remembers": ("close", "the registry still has the run"),
    "Abandons": ("close", "the run is (created|running).*conversation is held"),
    "NeverReleases": ("close", "tasks are left.*conversation is held"),
    "Swallows": ("cancel", "events: .*end"),
}


@pytest.mark.parametrize("name", FOUND)
async def test_the_sweep_finds_the_defect(env: ServiceEnv, name: str) -> None:
    way, violation = FOUND[name]
    [layers] = [layer.layers for layer in BROKEN_LAYERS if layer.name == name]
    env.registry = layers.registry()
    script = [text("a"), text("b"), SILENCE]
    service = env.service(env.agent(script), layers.service, registry=env.registry)
    try:
        with pytest.raises(AssertionError, match=violation):
            await sweep(env, service, way, "cancelled")
    finally:
        while Abandons.held:
            await Abandons.held.pop().aclose()
