"""An agent of two steps, OpenAI's and then Anthropic's, over the real SDKs and real sockets."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import anthropic
import openai
import pytest

from harness.model import Text, ToolCall, Usage
from harness.protocols import protocol
from harness.protocols.message import IN_ORDER, Message
from harness.replay.server import LoopbackServer
from harness.replay.stage import Stage
from harness.streaming.adapter import StepContext, StreamAdapter
from harness.streaming.continuation import continuation
from harness.streaming.service.steps import taken
from harness.wire.script import Script
from tests.streaming.service.world import Heard

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping

    from harness.streaming.runs.statuses import StopReason
    from harness.streaming.service import Said, Work
    from tests.streaming.service.world import World

CHAT, MESSAGES = protocol("openai_chat"), protocol("anthropic_messages")
STEPS = {"openai": CHAT, "anthropic": MESSAGES}
CALL = ToolCall(id="call_1", name="get", arguments_raw='{"a":1}', arguments={"a": 1}, complete=True)
CALLS = Message((CALL,), finish="tool_calls", usage=Usage(input=10, output=4, total=14))
ANSWERS = Message((Text(text="It is one."),), usage=Usage(input=20, output=3, total=23))


class Providers:
    """Both providers on one loopback server, and the SDKs that ask them."""

    def __init__(self, base_url: str, stage: Stage) -> None:
        self.stage = stage
        self.openai = openai.AsyncOpenAI(api_key="k", base_url=f"{base_url}/openai", max_retries=0)
        self.anthropic = anthropic.AsyncAnthropic(
            api_key="k", base_url=f"{base_url}/anthropic", max_retries=0
        )

    def say(self, provider: str, message: Message, **how: Any) -> None:
        made = STEPS[provider]
        frames = tuple(made.frame(event) for event in made.encode(message, IN_ORDER))
        self.stage.put(Script(frames, **how), provider)

    async def open(self, provider: str, request: Mapping[str, Any]) -> Any:
        if provider == "openai":
            return await self.openai.chat.completions.create(stream=True, **request)
        return await self.anthropic.messages.create(stream=True, **request)

    async def agent(self, work: Work) -> AsyncGenerator[Said | StopReason, None]:
        """Ask one provider after the other, until a step is the last."""
        adapter, run_id = StreamAdapter(self.open), None if work.run is None else work.run.id
        for step_id, made in STEPS.items():
            context = StepContext(
                run_id, step_id, "agent", None, None, "agent_step", step_id, "test-model"
            )
            step = taken(work, adapter, context, made.request, message_id=f"message-{step_id}")
            async with aclosing(step) as chunks:
                async for said in chunks:
                    yield said
            assert adapter.step is not None
            after = continuation(adapter.step.outcome)
            if after.stop_reason is not None:
                yield after.stop_reason


@pytest.fixture
async def providers() -> AsyncIterator[Providers]:
    stage = Stage()
    async with LoopbackServer(stage) as server:
        made = Providers(server.base_url, stage)
        made.say("openai", CALLS)
        made.say("anthropic", ANSWERS)
        async with made.openai, made.anthropic:
            yield made


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
    providers.say("anthropic", ANSWERS, end="stall")
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
