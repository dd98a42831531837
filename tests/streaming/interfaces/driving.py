"""Driving a streaming interface with a response: real SDK, transport in memory."""

from __future__ import annotations

from contextlib import aclosing
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import anthropic
import httpx2
import openai

from harness.playback.response_registry import ResponseRegistry
from harness.playback.transport import MEMORY_URL, memory_transport
from harness.protocols import protocol
from harness.protocols.composing import entry_of
from harness.streaming.interfaces import interface_for
from harness.wire.script import ResponseEnd, Script

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.model import Chunk, Event, Outcome, ToolCall
    from harness.streaming.interfaces.base import StreamingInterface


class Sdk(NamedTuple):
    """The clients of an SDK, and the path to the resource whose ``create`` opens a stream."""

    client: Any
    async_client: Any
    resource: str


SDKS = {
    "openai_responses": Sdk(openai.OpenAI, openai.AsyncOpenAI, "responses"),
    "openai_chat": Sdk(openai.OpenAI, openai.AsyncOpenAI, "chat.completions"),
    "anthropic_messages": Sdk(anthropic.Anthropic, anthropic.AsyncAnthropic, "messages"),
}
REJECTED = (openai.APIStatusError, anthropic.APIStatusError)


class Driven(NamedTuple):
    """What an interface delivered of one response."""

    outcome: Outcome
    raised: Exception | None
    interface: StreamingInterface

    @property
    def call(self) -> ToolCall:
        [call] = self.outcome.tool_calls
        return call

    @property
    def error(self) -> tuple[str, str | None, bool]:
        info = self.outcome.error
        assert info is not None
        return info.kind, info.code, info.retryable

    def chunks(self, *kinds: str) -> list[Chunk]:
        return [chunk for chunk in self.outcome.chunks if chunk.kind in kinds]


def compose(name: str, *entries: Any) -> list[Event | bytes]:
    """Return the events of a stream in the notation of scenarios."""
    return list(protocol(name).composer().compose(map(entry_of, entries)))


def script_of(
    name: str, events: Iterable[Event | bytes], cut: str = "event", end: ResponseEnd = "clean"
) -> Script:
    """Return the response that sends these events."""
    frame = protocol(name).frame
    frames = (one if isinstance(one, bytes) else frame(one) for one in events)
    return Script(tuple(frames), cut=cut, end=end)


def drive(name: str, script: Script, **arguments: Any) -> Driven:
    """Send a response through the synchronous SDK into a new interface."""
    interface = interface_for(name)(**arguments)
    registry = ResponseRegistry()
    with httpx2.Client(transport=memory_transport(registry)) as http:
        resource = _resource(name, SDKS[name].client, http, registry.register(script))
        try:
            stream = resource.create(stream=True, **protocol(name).request)
        except REJECTED as error:
            interface.fail(error)
            return Driven(interface.outcome(), error, interface)
        raised: Exception | None = None
        try:
            list(interface.chunks_sync(stream))
        except Exception as error:  # noqa: BLE001 - the test looks at it
            raised = error
    return Driven(interface.outcome(), raised, interface)


async def drive_async(name: str, script: Script, **arguments: Any) -> Driven:
    """Send a response through the asynchronous SDK into a new interface."""
    interface = interface_for(name)(**arguments)
    registry = ResponseRegistry()
    async with httpx2.AsyncClient(transport=memory_transport(registry)) as http:
        resource = _resource(name, SDKS[name].async_client, http, registry.register(script))
        try:
            stream = await resource.create(stream=True, **protocol(name).request)
        except REJECTED as error:
            interface.fail(error)
            return Driven(interface.outcome(), error, interface)
        raised: Exception | None = None
        try:
            async with aclosing(interface.chunks(stream)) as chunks:
                async for _ in chunks:
                    pass
        except Exception as error:  # noqa: BLE001 - the test looks at it
            raised = error
    return Driven(interface.outcome(), raised, interface)


def sdk_events(name: str, script: Script) -> list[Any]:
    """Return the events that the SDK makes of a response."""
    registry = ResponseRegistry()
    with httpx2.Client(transport=memory_transport(registry)) as http:
        resource = _resource(name, SDKS[name].client, http, registry.register(script))
        return list(resource.create(stream=True, **protocol(name).request))


def _resource(name: str, client: Any, http: Any, key: str) -> Any:
    base_url = f"{MEMORY_URL}/{key}"
    made = client(api_key="k", base_url=base_url, max_retries=0, http_client=http)
    return attrgetter(SDKS[name].resource)(made)
