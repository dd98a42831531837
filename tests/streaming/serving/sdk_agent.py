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
from harness.streaming.continuation import stop_reason_after
from harness.streaming.serving.agent import run_step
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


class SdkAgent:
    """The agent, with the clients of both SDKs; one loopback server is both providers.

    Args:
        base_url: of the loopback server.
        responses: the responses of the loopback server.
    """

    def __init__(self, base_url: str, responses: ResponseRegistry) -> None:
        self.responses = responses
        self.traces: Traces | None = None
        self.openai = openai.AsyncOpenAI(api_key="k", base_url=f"{base_url}/openai", max_retries=0)
        self.anthropic = anthropic.AsyncAnthropic(
            api_key="k", base_url=f"{base_url}/anthropic", max_retries=0
        )

    def respond(
        self, provider: str, message: Message, *, without_last: int = 0, **transport: Any
    ) -> None:
        """Set a provider's response to a message, without its last events if so given."""
        made = STEPS[provider]
        frames = [made.frame(event) for event in made.encode(message, IN_ORDER)]
        sent = tuple(frames[: len(frames) - without_last])
        self.responses.register(Script(sent, **transport), provider)

    async def open(self, provider: str, request: Mapping[str, Any]) -> Any:
        if provider == "openai":
            return await self.openai.chat.completions.create(stream=True, **request)
        return await self.anthropic.messages.create(stream=True, **request)

    async def run(self, work: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        """Call one provider after the other, until a step is the last."""
        adapter = StreamAdapter(self.open, self.traces)
        run_id = None if work.run is None else work.run.id
        for step_id, made in STEPS.items():
            context = StepContext(
                run_id=run_id,
                step_id=step_id,
                agent_id="agent",
                provider=step_id,
                model="test-model",
            )
            step = run_step(work, adapter, context, made.request, message_id=f"message-{step_id}")
            async with aclosing(step) as items:
                async for item in items:
                    yield item
            assert adapter.result is not None
            stop_reason = stop_reason_after(adapter.result.outcome)
            if stop_reason is not None:
                yield stop_reason
