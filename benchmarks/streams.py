"""The streams that are measured: legal ones, encoded from messages of a stated number of deltas."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

from harness.model import Text, ToolCall, Usage
from harness.protocols import protocol
from harness.protocols.message import Message, Weave
from harness.wire.script import Script

if TYPE_CHECKING:
    from collections.abc import Callable

_USAGE = Usage(input=100, output=100, total=200)


def text_stream(name: str, events: int) -> Script:
    """Return a stream of about ``events`` text deltas."""
    words = " ".join(f"word{number % 100}" for number in range(events))
    return _script(name, Message(content=(Text(text=words),), usage=_USAGE), Weave())


def calls_stream(name: str, events: int) -> Script:
    """Return a stream of about ``events`` argument deltas of two calls, in turns where allowed."""
    calls = tuple(_call(number, events // 2) for number in range(2))
    message = Message(content=calls, finish="tool_calls", usage=_USAGE)
    turns = itertools.cycle((0, 1))
    return _script(name, message, Weave(pick=lambda lanes: next(turns) % lanes))


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


def _script(name: str, message: Message, weave: Weave) -> Script:
    spoken = protocol(name)
    return Script(tuple(spoken.frame(event) for event in spoken.encode(message, weave)))
