"""A provider in memory that gives one answer: asked by the real SDK, read by our interface."""

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


class Answered(NamedTuple):
    """What a consumer got out of one answer."""

    chunks: list[Chunk]
    outcome: Outcome
    raised: Exception | None


@asynccontextmanager
async def asked(name: str, script: Script, **call: Any) -> AsyncGenerator[Any, None]:
    """Ask for a stream through a protocol's SDK; yields what opens it."""
    stage = ResponseRegistry()
    key = stage.register(script)
    clients = SdkClients(memory_transport(stage))
    try:
        request = protocol(name).request
        yield open_stream(clients, Call(name, f"{MEMORY_URL}/{key}", request, **call))
    finally:
        await clients.aclose()


async def answered(name: str, script: Script, **call: Any) -> Answered:
    """Read a whole answer."""
    interface = interface_for(name)()
    chunks: list[Chunk] = []
    raised: Exception | None = None
    async with asked(name, script, **call) as opening:
        try:
            async for chunk in interface.chunks(opening):
                chunks.append(chunk)  # noqa: PERF401 - what came before a failure counts
        except Exception as error:  # noqa: BLE001 - the test looks at it
            raised = error
    return Answered(chunks, interface.outcome(), raised)


def saying(name: str, *words: str) -> Script:
    """Return an answer that says these words, each in a delta of its own."""
    made = protocol(name)
    weave = DeltaPlan(split=lambda _: words)
    events = made.encode(Message(content=(Text(text="".join(words)),)), weave)
    return Script(tuple(map(made.frame, events)))


def in_halves(script: Script) -> Script:
    """Write HIGH and LOW in an answer as the halves of one character, which only JSON can."""
    halves = {b"HIGH": rb"\ud83d", b"LOW": rb"\ude00"}
    frames = list(script.frames)
    for word, half in halves.items():
        frames = [frame.replace(word, half) for frame in frames]
    return script._replace(frames=tuple(frames))


def refusal(status: int, body: JSON) -> Script:
    """Return a refusal of the request, with a JSON body or a text."""
    said, kind = (
        (body, "text/html") if isinstance(body, str) else (json.dumps(body), "application/json")
    )
    return Script((said.encode(),), status, (("content-type", kind),))
