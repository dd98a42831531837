"""A provider in memory with one response, opened by the real SDK and read by our interface."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.model import Text
from harness.playback.response_registry import ResponseRegistry
from harness.playback.transport import MEMORY_URL, memory_transport
from harness.protocols import protocol
from harness.protocols.message import DeltaPlan, Message
from harness.sdks import open_stream
from harness.sdks.clients import SdkClients
from harness.streaming.interfaces import interface_for
from harness.targets.base import Call
from harness.wire.script import Script

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from harness.model import JSON, Chunk, Outcome

NAMES = ("openai_chat", "openai_responses", "anthropic_messages", "gemini_generate")


class Answer(NamedTuple):
    """What a consumer received of one answer."""

    chunks: list[Chunk]
    outcome: Outcome
    raised: Exception | None


@asynccontextmanager
async def opening(name: str, script: Script, **call: Any) -> AsyncGenerator[Any, None]:
    """Yield the awaitable that opens the stream through a protocol's SDK."""
    registry = ResponseRegistry()
    key = registry.register(script)
    clients = SdkClients(memory_transport(registry))
    try:
        request = protocol(name).request
        yield open_stream(clients, Call(name, f"{MEMORY_URL}/{key}", request, **call))
    finally:
        await clients.aclose()


async def read_answer(name: str, script: Script, **call: Any) -> Answer:
    """Read an answer to its end."""
    interface = interface_for(name)()
    chunks: list[Chunk] = []
    raised: Exception | None = None
    async with opening(name, script, **call) as stream:
        try:
            async for chunk in interface.chunks(stream):
                chunks.append(chunk)  # noqa: PERF401 - chunks before an exception count
        except Exception as error:  # noqa: BLE001 - the test looks at it
            raised = error
    return Answer(chunks, interface.outcome(), raised)


def text_response(name: str, *fragments: str) -> Script:
    """Return an answer with this text, one delta per fragment."""
    wire = protocol(name)
    plan = DeltaPlan(split=lambda _: fragments)
    events = wire.encode(Message(content=(Text(text="".join(fragments)),)), plan)
    return Script(tuple(map(wire.frame, events)))


def cut_characters(script: Script) -> Script:
    """Replace HIGH and LOW in an answer by the two surrogates of one character."""
    halves = {b"HIGH": rb"\ud83d", b"LOW": rb"\ude00"}
    frames = list(script.frames)
    for word, half in halves.items():
        frames = [frame.replace(word, half) for frame in frames]
    return script._replace(frames=tuple(frames))


def error_response(status: int, body: JSON) -> Script:
    """Return a rejection of the request, with a JSON body or an HTML one."""
    text, kind = (
        (body, "text/html") if isinstance(body, str) else (json.dumps(body), "application/json")
    )
    return Script((text.encode(),), status, (("content-type", kind),))
