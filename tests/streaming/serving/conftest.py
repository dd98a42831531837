from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.playback.response_registry import ResponseRegistry
from harness.playback.server import LoopbackServer
from tests.streaming.databases.private import private_postgres
from tests.streaming.serving.background.conftest import background, private, redis
from tests.streaming.serving.providers import ANSWERS, CALLS, Providers
from tests.streaming.serving.world import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["background", "private", "private_postgres", "redis"]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    await made.aclose()


@pytest.fixture
async def providers() -> AsyncIterator[Providers]:
    stage = ResponseRegistry()
    async with LoopbackServer(stage) as server:
        made = Providers(server.base_url, stage)
        made.say("openai", CALLS)
        made.say("anthropic", ANSWERS)
        async with made.openai, made.anthropic:
            yield made
