"""Telling a Chat Completions stream to a new interface, through the real SDK in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import httpx2
import openai

from harness.playback.response_registry import ResponseRegistry
from harness.playback.transport import MEMORY_URL, memory_transport
from harness.protocols import protocol
from harness.protocols.composing import entry_of
from harness.streaming.interfaces.openai_chat.interface import OpenAIChatInterface
from harness.wire.script import ResponseEnd, Script

if TYPE_CHECKING:
    from harness.model import Chunk, Outcome, ToolCall

PROTOCOL = protocol("openai_chat")
END: tuple[Any, ...] = ({"finish": "stop"}, "done")
CALLED: tuple[Any, ...] = ({"finish": "tool_calls"}, "done")


class Told(NamedTuple):
    """What came out of one stream."""

    outcome: Outcome
    raised: Exception | None
    interface: OpenAIChatInterface

    @property
    def call(self) -> ToolCall:
        [call] = self.outcome.tool_calls
        return call

    def chunks(self, *kinds: str) -> list[Chunk]:
        return [chunk for chunk in self.outcome.chunks if chunk.kind in kinds]


def script(*entries: Any, cut: str = "event", end: ResponseEnd = "clean") -> Script:
    composed = PROTOCOL.composer().compose(map(entry_of, entries))
    frames = (one if isinstance(one, bytes) else PROTOCOL.frame(one) for one in composed)
    return Script(tuple(frames), cut=cut, end=end)


def tell(*entries: Any, end: ResponseEnd = "clean", **arguments: Any) -> Told:
    """Send a stream through the synchronous SDK into a new interface."""
    interface = OpenAIChatInterface(**arguments)
    stage = ResponseRegistry()
    key = stage.register(script(*entries, end=end))
    raised: Exception | None = None
    with httpx2.Client(transport=memory_transport(stage)) as http:
        client = openai.OpenAI(
            api_key="k", base_url=f"{MEMORY_URL}/{key}", max_retries=0, http_client=http
        )
        stream = client.chat.completions.create(stream=True, **PROTOCOL.request)
        try:
            list(interface.chunks_sync(stream))
        except Exception as error:  # noqa: BLE001 - the test looks at it
            raised = error
    return Told(interface.outcome(), raised, interface)


def call_of(index: int | None = 0, **fields: str | None) -> dict[str, Any]:
    return {"tool_call": {"at": None if index is None else [index], **fields}}


def arguments(outcome: Outcome) -> list[tuple[str | None, str, bool]]:
    return [(call.name, call.arguments_raw, call.complete) for call in outcome.tool_calls]


def decoded(*entries: Any) -> list[Any]:
    """Return the events the SDK makes of a stream."""
    stage = ResponseRegistry()
    key = stage.register(script(*entries))
    with httpx2.Client(transport=memory_transport(stage)) as http:
        client = openai.OpenAI(api_key="k", base_url=f"{MEMORY_URL}/{key}", http_client=http)
        return list(client.chat.completions.create(stream=True, **PROTOCOL.request))
