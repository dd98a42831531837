"""Client events of a run, and what OpenAI's SDK makes of their encoded stream."""

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
REQUIRED: Any = {"model": "gpt-x", "response_id": "chatcmpl-9", "created": 1763600000}
EVERYTHING: Any = {"include_usage": True, "reasoning": True, "tool_calls": True}


class RunBuilder:
    """Builds the client events of a run; the methods can be chained."""

    def __init__(self) -> None:
        self._builder = ClientEventBuilder("run-1", lambda message_id, part: f"{message_id}/{part}")
        self.events: list[ClientEvent] = []

    def message(self, chunk: Chunk, message_id: str = "m") -> RunBuilder:
        return self._add(self._builder.message(chunk, message_id=message_id, step_id="s"))

    def text(self, text: str) -> RunBuilder:
        return self.message(Chunk("text", text, 0))

    def call(
        self, name: str | None, arguments: str | None, call_id: str, message: str
    ) -> RunBuilder:
        return self.message(Chunk("tool_call", None, 0, 0, call_id, name, arguments), message)

    def stop_reason(self, reason: StopReason, finish: FinishReason | None = None) -> RunBuilder:
        return self._add(self._builder.stop_reason(reason, finish))

    def usage(self) -> RunBuilder:
        return self._add(self._builder.usage(COUNTS))

    def error(self) -> RunBuilder:
        return self._add(self._builder.error(FAILURES["rate_limit"]))

    def ping(self) -> RunBuilder:
        return self._add(self._builder.ping())

    def done(self) -> RunBuilder:
        return self._add(DONE)

    def _add(self, event: ClientEvent) -> RunBuilder:
        self.events.append(event)
        return self


def complete_run() -> RunBuilder:
    run = RunBuilder().message(Chunk("reasoning", "Hm", 0)).text("Hel").ping().text("lo")
    run.call("get", None, "call_1", "m").call(None, '{"a":1}', "call_1", "m")
    run.call("put", "{}", "call_1", "n").call("get", None, "call_2", "n")
    return run.stop_reason("requires_approval").usage().done()


async def source_of(
    pieces: Iterable[bytes | str], failure: BaseException | None = None
) -> AsyncIterator[bytes | str]:
    for piece in pieces:
        yield piece
    if failure is not None:
        raise failure


async def encode(events: Iterable[ClientEvent], **options: Any) -> list[bytes]:
    return [sent async for sent in reencode(source_of(map(write, events)), **REQUIRED, **options)]


async def data_of(run: RunBuilder, **options: Any) -> list[Any]:
    return [event.data for event in events_of(await encode(run.events, **options))]


async def chunks_of_the_sdk(pieces: Iterable[bytes]) -> list[ChatCompletionChunk]:
    """Return the chunks that OpenAI's SDK reads from a stream; it validates each."""
    responses = ResponseRegistry()
    responses.register(Script(tuple(pieces)), key="v1")
    http = httpx2.AsyncClient(transport=memory_transport(responses))
    async with openai.AsyncOpenAI(
        api_key="k",
        base_url=f"{MEMORY_URL}/v1",
        max_retries=0,
        http_client=http,
        _strict_response_validation=True,
    ) as sdk:
        messages: Any = [{"role": "user", "content": "hi"}]
        stream = await sdk.chat.completions.create(model="m", messages=messages, stream=True)
        async with stream:
            return [chunk async for chunk in stream]
