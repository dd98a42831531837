"""The adapter as a product wires it: real SDK clients, real trace manager, a provider in memory."""

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

ASKED = {  # a provider of each protocol
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


class Kept:
    """A trace backend that keeps traces in a list."""

    name = "kept"

    def __init__(self) -> None:
        self.traces: list[ProviderTrace] = []

    async def create(self, trace: ProviderTrace) -> None:
        """Keep it, a turn later."""
        await asyncio.sleep(0)
        self.traces.append(trace)

    async def read(self, step_id: str) -> ProviderTrace | None:
        """Return the first trace of a step."""
        return next((trace for trace in self.traces if trace.step_id == step_id), None)

    async def aclose(self) -> None:
        """Nothing is open."""


class Product:
    """The adapter as a product wires it: SDK clients, an opener, traces, a clock."""

    def __init__(self) -> None:
        self.stage, self.kept = ResponseRegistry(), Kept()
        self.clients = SdkClients(memory_transport(self.stage))
        ticks = itertools.count()
        self.adapter = StreamAdapter(
            self.open, TraceManager([self.kept]), clock=lambda: float(next(ticks))
        )
        self.key = ""

    def speak(self, script: Script) -> None:
        """Have the provider say something to the next request."""
        self.key = self.stage.register(script)

    async def open(self, provider: str, request: Any) -> Any:
        """Open the SDK's stream: what a product gives the adapter."""
        call = Call(protocol_of(provider, request), f"{MEMORY_URL}/{self.key}", request)
        return await open_stream(self.clients, call)

    def stream(
        self, name: str, cancel: CancelSignal | None = None, **more: Any
    ) -> AsyncGenerator[Chunk, None]:
        """Take a step with a provider of a protocol."""
        return self.adapter.stream(context(name), protocol(name).request, cancel, **more)

    async def taken(self, name: str, script: Script) -> tuple[list[Chunk], LLMError | None]:
        """Take a step to its end; returns its chunks and its error."""
        self.speak(script)
        told: list[Chunk] = []
        try:
            async for chunk in self.stream(name):
                told.append(chunk)  # noqa: PERF401 - what came before an exception is kept
        except LLMError as error:
            return told, error
        return told, None

    async def aclose(self) -> None:
        """Let the traces be written and close every connection."""
        await self.adapter.flush()
        await self.clients.aclose()


def context(name: str) -> StepContext:
    """Return a step with a provider of a protocol."""
    return asking(ASKED[name])


def asking(provider: str) -> StepContext:
    """Return a step with a provider."""
    call: Any = {"call_type": "agent_step", "provider": provider, "model": "m", "tags": ("t",)}
    return StepContext(**IDS, **call)


def answered(name: str, message: Message = ANSWER) -> Script:
    """Return a message as its provider sends it."""
    spoken = protocol(name)
    return Script(tuple(spoken.frame(event) for event in spoken.encode(message, IN_ORDER)))
