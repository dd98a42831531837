"""A message as the Chat Completions stream that carries it.

Words follow one another; neighbouring tool calls may overlap, each with its own index. A lane takes
the next call when it is first picked, so calls are opened in order however they are woven.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from harness.model import Media, Reasoning, RedactedReasoning, Refusal, Text, ToolCall
from harness.protocols.message import IN_ORDER, interleave
from harness.protocols.openai_chat import skeletons as write
from harness.protocols.openai_chat.vocabulary import FINISH, REASONING, REASONING_DETAILS, USAGE
from harness.protocols.paths import put

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model import JSON, Event, Part, Usage
    from harness.protocols.message import DeltaPlan, Message

# Our finish reason -> the first provider word that means it; a refusal ends as a plain stop.
WORD = {finish: word for word, finish in reversed(list(FINISH.items()))}


def encode(message: Message, weave: DeltaPlan = IN_ORDER) -> list[Event]:
    """Return the legal event stream of a message.

    Args:
        message: what is said; the protocol has no word for server tools, they are left out.
        weave: how texts are split, and how neighbouring calls overlap.
    """
    return [_sent(message, body) for body in _bodies(message, weave)] + list(_closing(message))


def _sent(message: Message, body: JSON) -> Event:
    return write.chunk(body, response_id=message.response_id, model=message.model)


def _bodies(message: Message, weave: DeltaPlan) -> Iterator[JSON]:
    yield _said({"role": "assistant", "content": ""})
    calls = iter(enumerate(part for part in message.content if isinstance(part, ToolCall)))
    for are_calls, parts in groupby(message.content, lambda part: isinstance(part, ToolCall)):
        if are_calls:
            yield from interleave((_call(calls, weave) for _ in parts), weave)
        else:
            for part in parts:
                yield from map(_said, _deltas(part, weave))
    if message.ending != "truncated" and message.error is None:
        yield {"choices": [write.choice({}, WORD.get(message.finish, "stop"))]}
        if message.usage is not None:
            yield {"usage": usage_object(message.usage)}


def _closing(message: Message) -> Iterator[Event]:
    if message.ending == "truncated":
        return
    if message.error is None:
        yield write.done()
    else:
        yield write.error({"code": message.error.code, "message": message.error.message})


def _said(delta: JSON) -> JSON:
    return {"choices": [write.choice(delta)]}


def _call(calls: Iterator[tuple[int, ToolCall]], weave: DeltaPlan) -> Iterator[JSON]:
    """Write the next call: its opening fragment, then its arguments."""
    index, call = next(calls)
    opening = {"index": index, "id": call.id, "name": call.name, "arguments": ""}
    yield _said({"tool_calls": [write.fragment(opening)]})
    for piece in weave.split(call.arguments_raw):
        yield _said({"tool_calls": [write.fragment({"index": index, "arguments": piece})]})


def _deltas(part: Part, weave: DeltaPlan) -> Iterator[dict[str, JSON]]:
    match part:
        case Text():
            yield from ({"content": piece} for piece in weave.split(part.text))
        case Refusal():
            yield from ({"refusal": piece} for piece in weave.split(part.text))
        case Reasoning():
            yield from ({REASONING[0]: piece} for piece in weave.split(part.text))
            if part.signature is not None:
                yield _detail({"type": "reasoning.text", "signature": part.signature})
        case RedactedReasoning():
            yield _detail({"type": "reasoning.encrypted", "data": part.data})
        case Media():
            yield {"audio": {"data": part.data}}


def _detail(detail: dict[str, JSON]) -> dict[str, JSON]:
    return {REASONING_DETAILS: [detail]}


def usage_object(usage: Usage) -> dict[str, JSON]:
    """Write our counts as the provider does."""
    written: dict[str, JSON] = {}
    for ours, path in USAGE.items():
        count = getattr(usage, ours)
        if count is not None:
            put(written, path, count)
    return written
