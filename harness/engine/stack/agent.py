"""The agent of a run under test: asks, runs the calls it is given, asks again.

Rule of this file: it is the loop of a product in the small, over the same adapter and service, and
does nothing for the sake of being watched but remember what it did.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.checks.runs import Step
from harness.playback.transport import MEMORY_URL
from harness.sdks import open_stream
from harness.streaming.adapter import StepContext
from harness.streaming.continuation import GO_ON, continuation
from harness.streaming.providers import PROVIDERS
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

TOOL_S = 0.5  # what a tool takes


class Asked(NamedTuple):
    """A step that was begun: the key its provider answers under, its adapter, what was said."""

    key: str
    script: Script
    adapter: StreamAdapter
    said: list[Chunk]


class Asking(NamedTuple):
    """What an agent asks, and whom: one script a step."""

    protocol: str
    request: Mapping[str, JSON]
    read_timeout: float
    scripts: Sequence[Script]


class WatchedAgent:
    """Runs one run.

    Args:
        asking: what it asks.
        layers: where its adapters come from.
        stage: who speaks the scripts.
        clients: the SDK's clients.

    ``asked`` holds the steps it began.
    """

    def __init__(
        self, asking: Asking, layers: Layers, stage: ResponseRegistry, clients: SdkClients
    ) -> None:
        self._asking, self._layers = asking, layers
        self._stage, self._clients = stage, clients
        self.asked: list[Asked] = []

    async def __call__(self, work: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        """Take steps until one is the last."""
        for number, script in enumerate(self._asking.scripts):
            adapter = self._layers.adapter(self._open)
            begun = Asked(self._stage.register(script), script, adapter, [])
            self.asked.append(begun)
            context = self._context(f"step-{number}")
            request, message = self._asking.request, f"message-{number}"
            step = run_step(work, adapter, context, request, message_id=message)
            async with aclosing(step) as said:
                async for item in said:
                    begun.said.append(item.chunk)
                    yield item
            after = GO_ON if adapter.step is None else continuation(adapter.step.outcome)
            if after.stop_reason is not None:
                yield after.stop_reason
            await asyncio.sleep(TOOL_S)
        yield "max_steps"

    def sent(self) -> int:
        """Return the bytes all providers have sent by now."""
        return sum(self._bytes(asked) for asked in self.asked)

    def steps(self) -> tuple[Step, ...]:
        """Return how the steps stand."""
        return tuple(map(self._seen, self.asked))

    def forget(self) -> None:
        """Take the scripts off the stage."""
        for asked in self.asked:
            self._stage.unregister(asked.key)

    def _seen(self, asked: Asked) -> Step:
        result = asked.adapter.step
        outcome = None if result is None else result.outcome
        return Step(tuple(asked.said), outcome, self._is_open(asked))

    def _is_open(self, asked: Asked) -> bool:
        """Say whether more of a response is to come and nobody has closed it."""
        stalls, length = asked.script.end == "stall", len(asked.script.body)
        exchanges = self._stage.exchanges(asked.key)
        more = (seen for seen in exchanges if stalls or seen.bytes_sent < length)
        return any(seen.closed_by is None for seen in more)

    def _bytes(self, asked: Asked) -> int:
        return sum(seen.bytes_sent for seen in self._stage.exchanges(asked.key))

    async def _open(self, _: str, request: Mapping[str, JSON]) -> Any:
        call = Call(
            protocol=self._asking.protocol,
            base_url=f"{MEMORY_URL}/{self.asked[-1].key}",
            request=request,
            read_timeout=self._asking.read_timeout,
        )
        return await open_stream(self._clients, call)

    def _context(self, step_id: str) -> StepContext:
        provider = next(
            name
            for name, known in PROVIDERS.items()
            if known.protocol == self._asking.protocol and known.also is None
        )
        return StepContext("run", step_id, "agent", None, None, "agent_step", provider, None)
