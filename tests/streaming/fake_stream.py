"""Driving an interface without an SDK: decoded events, from a stream that may fail."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

from harness.streaming.decoding import wire_events
from harness.streaming.interfaces.anthropic_messages.interface import AnthropicMessagesInterface
from tests.streaming.interfaces.driving_anthropic_messages import call, end, script, text, thinking
from tests.streaming.memory_provider import cut_characters

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.model import Chunk

START = "message_start"
ANSWER = (
    START,
    *thinking(0, "H", "m", signed="s"),
    *text(1, "Hel", "lo"),
    *call(2, "c1", "get", '{"a"', ": 1}"),
    *end("tool_use"),
)


def decoded(*entries: Any) -> list[Any]:
    """Return a stream as decoded events, which need no SDK."""
    return list(wire_events(cut_characters(script(entries)).frames, "anthropic_messages"))


class FakeStream:
    """A provider's stream that yields its events, then fails or ends; records who closed it."""

    def __init__(self, events: Iterable[Any], failure: Exception | None = None) -> None:
        self._events, self._failure = iter(events), failure
        self.closed_by: asyncio.Task[Any] | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        await asyncio.sleep(0)
        for event in self._events:
            return event
        raise self._failure or StopAsyncIteration

    async def close(self) -> None:
        self.closed_by = asyncio.current_task()


async def read_stream(
    events: Iterable[Any], failure: Exception | None = None
) -> tuple[AnthropicMessagesInterface, list[Chunk], Exception | None]:
    """Read a stream to its end; return the interface, its chunks and what was raised."""
    interface, stream = AnthropicMessagesInterface(), FakeStream(events, failure)
    got: list[Chunk] = []
    raised: Exception | None = None
    try:
        async for chunk in interface.chunks(stream):
            got.append(chunk)  # noqa: PERF401 - chunks before an exception count
    except Exception as error:  # noqa: BLE001 - the tests look at it
        raised = error
    assert stream.closed_by is asyncio.current_task()
    assert interface.outcome().chunks == tuple(got)
    return interface, got, raised
