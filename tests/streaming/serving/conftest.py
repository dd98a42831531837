from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.playback.response_registry import ResponseRegistry
from harness.playback.server import LoopbackServer
from tests.streaming.databases.private import private_postgres
from tests.streaming.serving.background.conftest import event_store, private_redis, redis
from tests.streaming.serving.sdk_agent import ANSWERS, CALLS, SdkAgent
from tests.streaming.serving.service_env import ServiceEnv

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["event_store", "private_postgres", "private_redis", "redis"]


@pytest.fixture
async def env() -> AsyncIterator[ServiceEnv]:
    env = ServiceEnv()
    yield env
    await env.aclose()


@pytest.fixture
async def sdk_agent() -> AsyncIterator[SdkAgent]:
    responses = ResponseRegistry()
    async with LoopbackServer(responses) as server:
        agent = SdkAgent(server.base_url, responses)
        agent.respond("openai", CALLS)
        agent.respond("anthropic", ANSWERS)
        async with agent.openai, agent.anthropic:
            yield agent
