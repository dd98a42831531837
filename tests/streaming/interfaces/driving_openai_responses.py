"""Telling a Responses stream to a new interface, through the real SDK in memory."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx2
import openai

from harness.playback.response_registry import ResponseRegistry
from harness.playback.transport import MEMORY_URL, memory_transport
from harness.protocols import protocol
from harness.protocols.composing import entry_of
from harness.streaming.interfaces.openai_responses.interface import OpenAIResponsesInterface
from harness.wire.script import ResponseEnd, Script

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.model import Chunk, Event, Outcome, ToolCall

PROTOCOL = protocol("openai_responses")
START: tuple[Any, ...] = ("response.created", "response.in_progress")
ADDED, DONE = "response.output_item.added", "response.output_item.done"
DELTA, TEXT_DONE = "response.output_text.delta", "response.output_text.done"
ARGUMENTS = "response.function_call_arguments"
COMPLETED: dict[str, Any] = {"response.completed": {}}
# A message that is open, so that deltas may follow.
OPEN: tuple[Any, ...] = (ADDED, "response.content_part.added")


class Told(NamedTuple):
    """What came out of one stream."""

    outcome: Outcome
    raised: Exception | None
    interface: OpenAIResponsesInterface

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


def ended(word: str, **response: Any) -> dict[str, Any]:
    """Return a terminal event with these fields of its response."""
    return {f"response.{word}": {"response": response}}


def composed(*entries: Any) -> list[Event | bytes]:
    return list(PROTOCOL.composer().compose(map(entry_of, entries)))


def script(
    events: Iterable[Event | bytes], cut: str = "event", end: ResponseEnd = "clean"
) -> Script:
    frames = (one if isinstance(one, bytes) else PROTOCOL.frame(one) for one in events)
    return Script(tuple(frames), cut=cut, end=end)


def tell(*entries: Any, end: ResponseEnd = "clean", **arguments: Any) -> Told:
    """Send a stream, behind its opening events, through the synchronous SDK."""
    return tell_script(script(composed(*START, *entries), end=end), **arguments)


def tell_script(spoken: Script, **arguments: Any) -> Told:
    """Send a response through the synchronous SDK into a new interface."""
    interface = OpenAIResponsesInterface(**arguments)
    stage = ResponseRegistry()
    key = stage.register(spoken)
    raised: Exception | None = None
    with httpx2.Client(transport=memory_transport(stage)) as http:
        client = openai.OpenAI(
            api_key="k", base_url=f"{MEMORY_URL}/{key}", max_retries=0, http_client=http
        )
        try:
            stream = client.responses.create(stream=True, **PROTOCOL.request)
        except openai.APIStatusError as error:
            interface.fail(error)
            return Told(interface.outcome(), error, interface)
        try:
            list(interface.chunks_sync(stream))
        except Exception as error:  # noqa: BLE001 - the test looks at it
            raised = error
    return Told(interface.outcome(), raised, interface)


async def tell_async(spoken: Script, **arguments: Any) -> Told:
    """Send a response through the asynchronous SDK into a new interface."""
    interface = OpenAIResponsesInterface(**arguments)
    stage = ResponseRegistry()
    key = stage.register(spoken)
    raised: Exception | None = None
    async with httpx2.AsyncClient(transport=memory_transport(stage)) as http:
        client = openai.AsyncOpenAI(
            api_key="k", base_url=f"{MEMORY_URL}/{key}", max_retries=0, http_client=http
        )
        try:
            stream = await client.responses.create(stream=True, **PROTOCOL.request)
        except openai.APIStatusError as error:
            interface.fail(error)
            return Told(interface.outcome(), error, interface)
        try:
            async with aclosing(interface.chunks(stream)) as chunks:
                async for _ in chunks:
                    pass
        except Exception as error:  # noqa: BLE001 - the test looks at it
            raised = error
    return Told(interface.outcome(), raised, interface)
