"""The adapter as a product uses it: real SDK clients and trace manager, a provider in memory."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any

from harness.errors import LLMError
from harness.playback.response_registry import ResponseRegistry
from harness.playback.transport import MEMORY_URL, memory_transport
from harness.protocols import protocol
from harness.protocols.message import IN_ORDER, Message
from harness.sdks import open_stream
from harness.sdks.clients import SdkClients
from harness.streaming.adapter import StepContext, StreamAdapter
from harness.streaming.providers import protocol_of
from harness.streaming.tracing.manager import TraceManager
from harness.targets.base import Call
from harness.wire.script import Script
from tests.streaming.aborting import ANSWER

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from harness.model import Chunk
    from harness.streaming.cancellation import CancelSignal
    from harness.streaming.tracing.trace import ProviderTrace

PROVIDER_OF = {  # a provider for each protocol
    "openai_responses": "openai",
    "openai_chat": "deepseek",
    "anthropic_messages": "bedrock",
    "gemini_generate": "google_vertex",
}
IDS: dict[str, Any] = {
    "run_id": "run",
    "step_id": "step",
    "agent_id": "agent",
    "org_id": "org",
    "user_id": "user",
}


class ListBackend:
    """A trace backend that keeps traces in a list."""

    name = "list"

    def __init__(self) -> None:
        self.traces: list[ProviderTrace] = []

    async def create(self, trace: ProviderTrace) -> None:
        """Store it in the next iteration of the loop."""
        await asyncio.sleep(0)
        self.traces.append(trace)

    async def read(self, step_id: str) -> ProviderTrace | None:
        """Return the first trace of a step."""
        return next((trace for trace in self.traces if trace.step_id == step_id), None)

    async def aclose(self) -> None:
        """Nothing is open."""


class AdapterEnv:
    """An adapter with SDK clients, an opener, traces and a clock."""

    def __init__(self) -> None:
        self.registry, self.backend = ResponseRegistry(), ListBackend()
        self.clients = SdkClients(memory_transport(self.registry))
        ticks = itertools.count()
        self.adapter = StreamAdapter(
            self.open, TraceManager([self.backend]), clock=lambda: float(next(ticks))
        )
        self.key = ""

    def respond_with(self, script: Script) -> None:
        """Set the response to the next request."""
        self.key = self.registry.register(script)

    async def open(self, provider: str, request: Any) -> Any:
        """Open the SDK's stream, as a product's opener does."""
        call = Call(protocol_of(provider, request), f"{MEMORY_URL}/{self.key}", request)
        return await open_stream(self.clients, call)

    def stream(
        self, name: str, cancel: CancelSignal | None = None, **more: Any
    ) -> AsyncGenerator[Chunk, None]:
        """Begin a step with a provider of a protocol."""
        return self.adapter.stream(context(name), protocol(name).request, cancel, **more)

    async def run_step(self, name: str, script: Script) -> tuple[list[Chunk], LLMError | None]:
        """Run a step to its end; return its chunks and its error."""
        self.respond_with(script)
        chunks: list[Chunk] = []
        try:
            async for chunk in self.stream(name):
                chunks.append(chunk)  # noqa: PERF401 - chunks before an exception count
        except LLMError as error:
            return chunks, error
        return chunks, None

    async def aclose(self) -> None:
        """Write the traces and close every connection."""
        await self.adapter.flush()
        await self.clients.aclose()


def context(name: str) -> StepContext:
    """Return a step with a provider of a protocol."""
    return context_for(PROVIDER_OF[name])


def context_for(provider: str) -> StepContext:
    """Return a step with a provider."""
    call: Any = {"call_type": "agent_step", "provider": provider, "model": "m", "tags": ("t",)}
    return StepContext(**IDS, **call)


def response_of(name: str, message: Message = ANSWER) -> Script:
    """Return a message as its provider sends it."""
    wire = protocol(name)
    return Script(tuple(wire.frame(event) for event in wire.encode(message, IN_ORDER)))
