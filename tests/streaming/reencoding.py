"""A run's frames, written down as it goes, and what an OpenAI client hears of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import openai

from harness.model import Chunk, FinishReason, Usage
from harness.playback.response_registry import ResponseRegistry
from harness.playback.transport import MEMORY_URL, memory_transport
from harness.protocols.events import events_of
from harness.streaming.reencoding import reencode
from harness.streaming.serving.client_events import (
    DONE,
    FAILURES,
    ClientEvent,
    ClientEventBuilder,
    write,
)
from harness.wire.script import Script

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from openai.types.chat import ChatCompletionChunk

    from harness.streaming.serving.runs.statuses import StopReason

COUNTS = Usage(input=9, cached=4, output=3, reasoning=0, total=12)
ASKED: Any = {"model": "gpt-x", "response_id": "chatcmpl-9", "created": 1763600000}
EVERYTHING: Any = {"include_usage": True, "reasoning": True, "tool_calls": True}


class Run:
    """The frames of a run, written down as it goes."""

    def __init__(self) -> None:
        self._make = ClientEventBuilder("run-1", lambda message_id, part: f"{message_id}/{part}")
        self.frames: list[ClientEvent] = []

    def says(self, chunk: Chunk, message_id: str = "m") -> Run:
        made = self._make.message(chunk, message_id=message_id, step_id="s")
        return self._sends(made)

    def text(self, words: str) -> Run:
        return self.says(Chunk("text", words, 0))

    def call(self, name: str | None, arguments: str | None, call_id: str, message: str) -> Run:
        return self.says(Chunk("tool_call", None, 0, 0, call_id, name, arguments), message)

    def stops(self, reason: StopReason, finish: FinishReason | None = None) -> Run:
        return self._sends(self._make.stop_reason(reason, finish))

    def counts(self) -> Run:
        return self._sends(self._make.usage(COUNTS))

    def fails(self) -> Run:
        return self._sends(self._make.error(FAILURES["rate_limit"]))

    def ping(self) -> Run:
        return self._sends(self._make.ping())

    def done(self) -> Run:
        return self._sends(DONE)

    def _sends(self, frame: ClientEvent) -> Run:
        self.frames.append(frame)
        return self


def whole_answer() -> Run:
    run = Run().says(Chunk("reasoning", "Hm", 0)).text("Hel").ping().text("lo")
    run.call("get", None, "call_1", "m").call(None, '{"a":1}', "call_1", "m")
    run.call("put", "{}", "call_1", "n").call("get", None, "call_2", "n")
    return run.stops("requires_approval").counts().done()


async def sending(
    pieces: Iterable[bytes | str], failure: BaseException | None = None
) -> AsyncIterator[bytes | str]:
    for piece in pieces:
        yield piece
    if failure is not None:
        raise failure


async def told(frames: Iterable[ClientEvent], **options: Any) -> list[bytes]:
    return [sent async for sent in reencode(sending(map(write, frames)), **ASKED, **options)]


async def objects(run: Run, **options: Any) -> list[Any]:
    return [event.data for event in events_of(await told(run.frames, **options))]


async def heard_by_the_sdk(pieces: Iterable[bytes]) -> list[ChatCompletionChunk]:
    """Return what OpenAI's SDK makes of a stream; it validates every chunk."""
    stage = ResponseRegistry()
    stage.put(Script(tuple(pieces)), key="v1")
    http = httpx2.AsyncClient(transport=memory_transport(stage))
    async with openai.AsyncOpenAI(
        api_key="k",
        base_url=f"{MEMORY_URL}/v1",
        max_retries=0,
        http_client=http,
        _strict_response_validation=True,
    ) as sdk:
        asked: Any = [{"role": "user", "content": "hi"}]
        stream = await sdk.chat.completions.create(model="m", messages=asked, stream=True)
        async with stream:
            return [chunk async for chunk in stream]
