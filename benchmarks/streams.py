"""The streams of the benchmarks: legal, encoded from messages of a given number of deltas."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

from harness.model import Text, ToolCall, Usage
from harness.protocols import protocol
from harness.protocols.gemini_generate import skeletons
from harness.protocols.message import DeltaPlan, Message
from harness.wire.script import Script

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harness.model import JSON

_USAGE = Usage(input=100, output=100, total=200)


def text_stream(name: str, events: int) -> Script:
    """Return a stream of about ``events`` text deltas."""
    words = " ".join(f"word{number % 100}" for number in range(events))
    return _script(name, Message(content=(Text(text=words),), usage=_USAGE), DeltaPlan())


def calls_stream(name: str, events: int) -> Script:
    """Return a stream of about ``events`` argument deltas of two calls, alternating where allowed.

    Gemini's calls are those that Vertex streams: a piece does not name its call, so the calls
    follow one another.
    """
    calls = tuple(_call(number, events // 2) for number in range(2))
    message = Message(content=calls, finish="tool_calls", usage=_USAGE)
    if name == "gemini_generate":
        return _streamed_calls(calls)
    lanes = itertools.cycle((0, 1))
    return _script(name, message, DeltaPlan(pick=lambda count: next(lanes) % count))


STREAMS: dict[str, tuple[Callable[[str, int], Script], int]] = {
    "text": (text_stream, 5000),
    "two calls": (calls_stream, 2000),
}


def _call(number: int, deltas: int) -> ToolCall:
    arguments = {"query": " ".join(f"word{n % 100}" for n in range(deltas - 1))}
    return ToolCall(
        id=f"call_{number}",
        name="search",
        arguments_raw=json.dumps(arguments),
        arguments=arguments,
        complete=True,
    )


def _streamed_calls(calls: Iterable[ToolCall]) -> Script:
    """Return calls of one string argument as Vertex streams them, one response per word.

    https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling#streaming-fc
    """
    calls_streamed: list[JSON] = []
    for call in calls:
        [(argument, text)] = (call.arguments or {}).items()
        calls_streamed.append({"id": call.id, "name": call.name, "willContinue": True})
        for word in text.split():
            piece = {"jsonPath": f"$.{argument}", "stringValue": f"{word} ", "willContinue": True}
            calls_streamed.append({"partialArgs": [piece], "willContinue": True})
        calls_streamed.append({})
    events = [skeletons.response([{"functionCall": value}]) for value in calls_streamed]
    end = skeletons.response([{"text": ""}], {"finishReason": "STOP"})
    return Script(tuple(map(protocol("gemini_generate").frame, [*events, end])))


def _script(name: str, message: Message, plan: DeltaPlan) -> Script:
    wire = protocol(name)
    return Script(tuple(map(wire.frame, wire.encode(message, plan))))
