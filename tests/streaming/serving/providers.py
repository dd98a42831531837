"""An agent of two steps, OpenAI's and then Anthropic's, over the real SDKs and real sockets."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import anthropic
import openai

from harness.model import Text, ToolCall, Usage
from harness.protocols import protocol
from harness.protocols.message import IN_ORDER, Message
from harness.streaming.adapter import StepContext, StreamAdapter
from harness.streaming.continuation import continuation
from harness.streaming.serving.steps import taken
from harness.wire.script import Script

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from harness.playback.response_registry import ResponseRegistry
    from harness.streaming.adapter import Traces
    from harness.streaming.serving import AgentChunk, AgentRequest
    from harness.streaming.serving.runs.statuses import StopReason

CHAT, MESSAGES = protocol("openai_chat"), protocol("anthropic_messages")
STEPS = {"openai": CHAT, "anthropic": MESSAGES}
CALL = ToolCall(id="call_1", name="get", arguments_raw='{"a":1}', arguments={"a": 1}, complete=True)
CALLS = Message((CALL,), finish="tool_calls", usage=Usage(input=10, output=4, total=14))
ANSWERS = Message((Text(text="It is one."),), usage=Usage(input=20, output=3, total=23))


class Providers:
    """Both providers on one loopback server, and the SDKs that ask them."""

    def __init__(self, base_url: str, stage: ResponseRegistry) -> None:
        self.stage = stage
        self.traces: Traces | None = None
        self.openai = openai.AsyncOpenAI(api_key="k", base_url=f"{base_url}/openai", max_retries=0)
        self.anthropic = anthropic.AsyncAnthropic(
            api_key="k", base_url=f"{base_url}/anthropic", max_retries=0
        )

    def say(self, provider: str, message: Message, *, but: int | None = None, **how: Any) -> None:
        """Have a provider say a message to whoever asks, ``but`` for its last events."""
        made = STEPS[provider]
        frames = tuple(made.frame(event) for event in made.encode(message, IN_ORDER))
        self.stage.put(Script(frames[: None if but is None else -but], **how), provider)

    async def open(self, provider: str, request: Mapping[str, Any]) -> Any:
        if provider == "openai":
            return await self.openai.chat.completions.create(stream=True, **request)
        return await self.anthropic.messages.create(stream=True, **request)

    async def agent(self, work: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        """Ask one provider after the other, until a step is the last."""
        adapter = StreamAdapter(self.open, self.traces)
        run_id = None if work.run is None else work.run.id
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
