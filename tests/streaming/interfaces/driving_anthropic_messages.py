"""Telling a Messages stream to a new interface, through the real SDK in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import anthropic
import httpx2

from harness.playback.response_registry import ResponseRegistry
from harness.playback.transport import MEMORY_URL, memory_transport
from harness.protocols import protocol
from harness.protocols.composing import entry_of
from harness.streaming.interfaces.anthropic_messages.interface import AnthropicMessagesInterface
from harness.wire.script import ResponseEnd, Script

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.model import Chunk, Outcome, ToolCall

PROTOCOL = protocol("anthropic_messages")


class Told(NamedTuple):
    """What came out of one stream."""

    outcome: Outcome
    raised: Exception | None
    interface: AnthropicMessagesInterface

    @property
    def call(self) -> ToolCall:
        [call] = self.outcome.tool_calls
        return call

    def chunks(self, *kinds: str) -> list[Chunk]:
        return [chunk for chunk in self.outcome.chunks if chunk.kind in kinds]


def block(index: int, start: dict[str, Any], *deltas: dict[str, Any]) -> list[Any]:
    """Return a whole block: its start, its deltas (written as ``{kind: fields}``), its stop."""
    grown = [
        {kind: {"at": [index], **fields}} for delta in deltas for kind, fields in delta.items()
    ]
    return [begin(index, **start), *grown, stop(index)]


def begin(index: int, **start: Any) -> dict[str, Any]:
    return {"content_block_start": {"at": [index], "content_block": start}}


def stop(index: int) -> dict[str, Any]:
    return {"content_block_stop": {"at": [index]}}


def text(index: int, *words: str) -> list[Any]:
    return block(index, {"type": "text"}, *({"text_delta": {"text": word}} for word in words))


def thinking(index: int, *words: str, signed: str | None = None) -> list[Any]:
    deltas: list[dict[str, Any]] = [{"thinking_delta": {"thinking": word}} for word in words]
    deltas += [{"signature_delta": {"signature": signed}}] if signed else []
    return block(index, {"type": "thinking"}, *deltas)


def call(index: int, call_id: str, name: str, *fragments: str) -> list[Any]:
    deltas = ({"input_json_delta": {"partial_json": piece}} for piece in fragments)
    return block(index, {"type": "tool_use", "id": call_id, "name": name}, *deltas)


def end(stop_reason: str | None = "end_turn", **fields: Any) -> list[Any]:
    return [{"message_delta": {"delta": {"stop_reason": stop_reason}, **fields}}, "message_stop"]


def script(entries: Iterable[Any], *, cut: str = "event", ending: ResponseEnd = "clean") -> Script:
    composed = PROTOCOL.composer().compose(map(entry_of, entries))
    frames = (one if isinstance(one, bytes) else PROTOCOL.frame(one) for one in composed)
    return Script(tuple(frames), cut=cut, end=ending)


def tell(*entries: Any, ending: ResponseEnd = "clean", **arguments: Any) -> Told:
    """Send a stream through the synchronous SDK into a new interface."""
    return tell_script(script(entries, ending=ending), **arguments)


def tell_script(spoken: Script, **arguments: Any) -> Told:
    interface = AnthropicMessagesInterface(**arguments)
    stage = ResponseRegistry()
    key = stage.register(spoken)
    raised: Exception | None = None
    with httpx2.Client(transport=memory_transport(stage)) as http:
        client = anthropic.Anthropic(
            api_key="k", base_url=f"{MEMORY_URL}/{key}", max_retries=0, http_client=http
        )
        try:
            stream = client.messages.create(stream=True, **PROTOCOL.request)
        except anthropic.APIStatusError as error:
            interface.fail(error)
            return Told(interface.outcome(), error, interface)
        try:
            list(interface.chunks_sync(stream))
        except Exception as error:  # noqa: BLE001 - the test looks at it
            raised = error
    return Told(interface.outcome(), raised, interface)


async def tell_async(spoken: Script) -> Told:
    """Send a script through the asynchronous SDK into a new interface."""
    interface = AnthropicMessagesInterface()
    stage = ResponseRegistry()
    key = stage.register(spoken)
    raised: Exception | None = None
    async with httpx2.AsyncClient(transport=memory_transport(stage)) as http:
        client = anthropic.AsyncAnthropic(
            api_key="k", base_url=f"{MEMORY_URL}/{key}", max_retries=0, http_client=http
        )
        stream = await client.messages.create(stream=True, **PROTOCOL.request)
        try:
            async for _ in interface.chunks(stream):
                pass
        except Exception as error:  # noqa: BLE001 - the test looks at it
            raised = error
    return Told(interface.outcome(), raised, interface)


def decoded(*entries: Any) -> list[Any]:
    """Return the events the SDK makes of a stream."""
    stage = ResponseRegistry()
    key = stage.register(script(entries))
    with httpx2.Client(transport=memory_transport(stage)) as http:
        client = anthropic.Anthropic(api_key="k", base_url=f"{MEMORY_URL}/{key}", http_client=http)
        return list(client.messages.create(stream=True, **PROTOCOL.request))
