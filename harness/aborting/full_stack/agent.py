"""The agent of a run under test: sends a request, runs the calls it is given, sends the next.

Rule of this file: it is a small version of a product's agent loop, over the same adapter and
service; the only thing added for the test is that it records what it did.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.aborting.seen_run import Step
from harness.playback.transport import MEMORY_URL
from harness.sdks import open_stream
from harness.streaming.adapter import StepContext
from harness.streaming.continuation import stop_reason_after
from harness.streaming.providers import provider_of
from harness.streaming.serving.agent import run_step
from harness.targets.base import Call

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from harness.model import JSON, Chunk
    from harness.playback.response_registry import ResponseRegistry
    from harness.sdks.clients import SdkClients
    from harness.streaming.adapter import StreamAdapter
    from harness.streaming.serving import AgentChunk, AgentRequest
    from harness.streaming.serving.runs.statuses import StopReason
    from harness.targets.layers import Layers
    from harness.wire.script import Script

TOOL_S = 0.5  # virtual seconds a tool call takes


class _BegunStep(NamedTuple):
    """A step that was begun: the key of its response, its adapter, and the chunks passed on."""

    key: str
    script: Script
    adapter: StreamAdapter
    chunks: list[Chunk]


class AgentPlan(NamedTuple):
    """What an agent requests, and how the provider answers.

    Args:
        protocol: the provider's protocol.
        request: the request of every step.
        read_timeout: virtual seconds the SDK waits for a read.
        scripts: the provider's responses, one for each step.
    """

    protocol: str
    request: Mapping[str, JSON]
    read_timeout: float
    scripts: Sequence[Script]


class WatchedAgent:
    """Does the steps of one run.

    Args:
        plan: what it requests.
        layers: where its adapters come from.
        responses: where its scripts are registered.
        clients: the SDK clients.
    """

    def __init__(
        self, plan: AgentPlan, layers: Layers, responses: ResponseRegistry, clients: SdkClients
    ) -> None:
        self._plan, self._layers = plan, layers
        self._responses, self._clients = responses, clients
        self._begun: list[_BegunStep] = []

    async def __call__(self, work: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        """Take steps until one is the last."""
        for number, script in enumerate(self._plan.scripts):
            adapter = self._layers.adapter(self._open)
            begun = _BegunStep(self._responses.register(script), script, adapter, [])
            self._begun.append(begun)
            context = self._context(f"step-{number}")
            request, message = self._plan.request, f"message-{number}"
            step = run_step(work, adapter, context, request, message_id=message)
            async with aclosing(step) as items:
                async for item in items:
                    begun.chunks.append(item.chunk)
                    yield item
            result = adapter.result
            stop_reason = None if result is None else stop_reason_after(result.outcome)
            if stop_reason is not None:
                yield stop_reason
            await asyncio.sleep(TOOL_S)
        yield "max_steps"

    def bytes_sent(self) -> int:
        """Return the bytes the provider has sent by now, in all steps."""
        logs = (log for begun in self._begun for log in self._responses.exchanges(begun.key))
        return sum(log.bytes_sent for log in logs)

    def steps(self) -> tuple[Step, ...]:
        """Return the state of the steps it began."""
        return tuple(map(self._seen, self._begun))

    def forget(self) -> None:
        """Remove the scripts of its steps from the registry."""
        for begun in self._begun:
            self._responses.unregister(begun.key)

    def _seen(self, begun: _BegunStep) -> Step:
        result = begun.adapter.result
        outcome = None if result is None else result.outcome
        return Step(tuple(begun.chunks), outcome, self._is_open(begun))

    def _is_open(self, begun: _BegunStep) -> bool:
        """Return whether more of a response is to come and it was not closed."""
        stalls, length = begun.script.end == "stall", len(begun.script.body)
        exchanges = self._responses.exchanges(begun.key)
        unfinished = (log for log in exchanges if stalls or log.bytes_sent < length)
        return any(log.closed_by is None for log in unfinished)

    async def _open(self, _: str, request: Mapping[str, JSON]) -> Any:
        call = Call(
            protocol=self._plan.protocol,
            base_url=f"{MEMORY_URL}/{self._begun[-1].key}",
            request=request,
            read_timeout=self._plan.read_timeout,
        )
        return await open_stream(self._clients, call)

    def _context(self, step_id: str) -> StepContext:
        provider = provider_of(self._plan.protocol)
        return StepContext(run_id="run", step_id=step_id, agent_id="agent", provider=provider)
