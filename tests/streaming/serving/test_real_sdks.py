"""A service over the real SDKs and real sockets."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from harness.wire.script import Script
from tests.streaming.serving.sdk_agent import ANSWERS
from tests.streaming.serving.service_env import Received

if TYPE_CHECKING:
    from tests.streaming.serving.sdk_agent import SdkAgent
    from tests.streaming.serving.service_env import ServiceEnv


async def test_two_steps_of_two_providers_are_one_run(env: ServiceEnv, sdk_agent: SdkAgent) -> None:
    received = await env.read(env.service(sdk_agent.run))
    bodies: list[Any] = [event.body for event in received.events if event.label == "message"]
    assert {body["step_id"] for body in bodies} == {"openai", "anthropic"}
    arguments = [body["tool_call"]["arguments"] or "" for body in bodies if "tool_call" in body]
    assert "".join(arguments) == '{"a":1}'
    assert "".join(body.get("content", "") for body in bodies) == "It is one."
    usage = received.body("usage")
    assert [usage[field] for field in ("prompt_tokens", "completion_tokens")] == [30, 7]
    assert usage["step_count"] == 2
    assert received.body("stop_reason")["finish_reason"] == "stop"
    assert await env.violations(received, {"end_turn"}) == []


async def test_a_refused_key_is_an_authentication_error(
    env: ServiceEnv, sdk_agent: SdkAgent
) -> None:
    body = b'{"error": {"code": "invalid_api_key", "message": "Incorrect API key"}}'
    refusal = Script((body,), status=401, headers=(("content-type", "application/json"),))
    sdk_agent.responses.register(refusal, "openai")
    received = await env.read(env.service(sdk_agent.run))
    assert received.labels == ["stop_reason", "error", "done"]
    assert received.body("error")["error_type"] == "llm_authentication"
    assert await env.violations(received, {"llm_api_error"}) == []


@pytest.mark.parametrize("disconnects", [False, True], ids=["cancelled", "disconnected"])
async def test_a_stalled_provider_is_aborted(
    env: ServiceEnv, sdk_agent: SdkAgent, *, disconnects: bool
) -> None:
    sdk_agent.respond(
        "anthropic", ANSWERS, without_last=2, end="stall"
    )  # message_delta and message_stop
    request = env.request()
    run, frames = await env.service(sdk_agent.run).stream(request)
    assert run is not None
    received = Received(run.id)
    client = asyncio.create_task(received.read(frames))
    async with asyncio.timeout(5):
        while "one." not in str(received.sent):  # noqa: ASYNC110 - a list sets no event
            await asyncio.sleep(0.001)
        if disconnects:
            client.cancel()
        else:
            assert env.registry.fire(run.id)
        await asyncio.wait({client})
    received.aborted = client.cancelled()
    assert received.aborted == disconnects
    if not disconnects:  # CA-021: the prompt usage of message_start is known, and partial
        usage = received.body("usage")
        assert (usage["prompt_tokens"], usage["step_count"], usage["partial"]) == (30, 2, True)
        assert received.body("stop_reason")["finish_reason"] == "cancelled"
    assert await env.violations(received, {"cancelled"}) == []
    [exchange] = sdk_agent.responses.exchanges("anthropic")
    assert exchange.closed_by == "client"
