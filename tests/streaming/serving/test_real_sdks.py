"""A service over the real SDKs and real sockets."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from harness.wire.script import Script
from tests.streaming.serving.providers import ANSWERS
from tests.streaming.serving.world import Heard

if TYPE_CHECKING:
    from tests.streaming.serving.providers import Providers
    from tests.streaming.serving.world import World


async def test_two_steps_of_two_providers_are_one_run(world: World, providers: Providers) -> None:
    heard = await world.read(world.serving(providers.agent))
    bodies: list[Any] = [frame.body for frame in heard.frames if frame.label == "message"]
    assert {body["step_id"] for body in bodies} == {"openai", "anthropic"}
    arguments = [body["tool_call"]["arguments"] or "" for body in bodies if "tool_call" in body]
    assert "".join(arguments) == '{"a":1}'
    assert "".join(body.get("content", "") for body in bodies) == "It is one."
    usage = heard.body("usage")
    assert [usage[word] for word in ("prompt_tokens", "completion_tokens")] == [30, 7]
    assert usage["step_count"] == 2
    assert heard.body("stop_reason")["finish_reason"] == "stop"
    assert await world.complaints(heard, {"end_turn"}) == []


async def test_a_refused_key_is_told_as_such(world: World, providers: Providers) -> None:
    body = b'{"error": {"code": "invalid_api_key", "message": "Incorrect API key"}}'
    refusal = Script((body,), status=401, headers=(("content-type", "application/json"),))
    providers.stage.put(refusal, "openai")
    heard = await world.read(world.serving(providers.agent))
    assert heard.labels == ["stop_reason", "error", "done"]
    assert heard.body("error")["error_type"] == "llm_authentication"
    assert await world.complaints(heard, {"llm_api_error"}) == []


@pytest.mark.parametrize("leaves", [False, True], ids=["cancelled", "left"])
async def test_a_provider_that_stalls_is_left(
    world: World, providers: Providers, *, leaves: bool
) -> None:
    providers.say("anthropic", ANSWERS, but=2, end="stall")  # message_delta and message_stop
    request = world.request()
    run, frames = await world.serving(providers.agent).stream(request)
    assert run is not None
    heard = Heard(run.id)
    client = asyncio.create_task(heard.read(frames))
    async with asyncio.timeout(5):
        while "one." not in str(heard.sent):  # noqa: ASYNC110 - a client's list sets no event
            await asyncio.sleep(0.001)
        if leaves:
            client.cancel()
        else:
            assert world.registry.fire(run.id)
        await asyncio.wait({client})
    heard.left = client.cancelled()
    assert heard.left == leaves
    if not leaves:  # CA-021: what message_start said of the prompt is known, and called partial
        usage = heard.body("usage")
        assert (usage["prompt_tokens"], usage["step_count"], usage["partial"]) == (30, 2, True)
        assert heard.body("stop_reason")["finish_reason"] == "cancelled"
    assert await world.complaints(heard, {"cancelled"}) == []
    [evidence] = providers.stage.evidence("anthropic")
    assert evidence.closed_by == "client"
