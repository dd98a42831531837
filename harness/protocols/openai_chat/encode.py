"""A message as a Chat Completions stream, and as one ``chat.completion`` where none is asked for.

Texts follow one another; neighbouring tool calls may overlap, each with its own index. A call
gets its index when it is first picked, so calls are opened in order however they are interleaved.
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


def encode(message: Message, plan: DeltaPlan = IN_ORDER) -> list[Event]:
    """Return the legal event stream of a message.

    Args:
        message: what is encoded; the protocol cannot express server tools, they are left out.
        plan: how texts are split, and how neighbouring calls overlap.
    """
    return [_chunk(message, body) for body in _bodies(message, plan)] + list(_closing(message))


def _chunk(message: Message, body: JSON) -> Event:
    return write.chunk(body, response_id=message.response_id, model=message.model)


def _bodies(message: Message, plan: DeltaPlan) -> Iterator[JSON]:
    yield _with_delta({"role": "assistant", "content": ""})
    calls = iter(enumerate(part for part in message.content if isinstance(part, ToolCall)))
    for are_calls, parts in groupby(message.content, lambda part: isinstance(part, ToolCall)):
        if are_calls:
            yield from interleave((_call(calls, plan) for _ in parts), plan)
        else:
            for part in parts:
                yield from map(_with_delta, _deltas(part, plan))
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


def _with_delta(delta: JSON) -> JSON:
    return {"choices": [write.choice(delta)]}


def _call(calls: Iterator[tuple[int, ToolCall]], plan: DeltaPlan) -> Iterator[JSON]:
    """Write the next call: its opening fragment, then its arguments."""
    index, call = next(calls)
    opening = {"index": index, "id": call.id, "name": call.name, "arguments": ""}
    yield _with_delta({"tool_calls": [write.fragment(opening)]})
    for piece in plan.split(call.arguments_raw):
        yield _with_delta({"tool_calls": [write.fragment({"index": index, "arguments": piece})]})


def _deltas(part: Part, plan: DeltaPlan) -> Iterator[dict[str, JSON]]:
    match part:
        case Text():
            yield from ({"content": piece} for piece in plan.split(part.text))
        case Refusal():
            yield from ({"refusal": piece} for piece in plan.split(part.text))
        case Reasoning():
            yield from ({REASONING[0]: piece} for piece in plan.split(part.text))
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


def response_body(message: Message) -> dict[str, JSON]:
    """Return the body of a response that is not streamed: one ``chat.completion``.

    https://developers.openai.com/api/docs/api-reference/chat/object

    Args:
        message: a finished message; redacted reasoning and audio are left out.
    """
    choice = {
        "index": 0,
        "message": _assistant(message),
        "logprobs": None,
        "finish_reason": WORD.get(message.finish, "stop"),
    }
    usage = {} if message.usage is None else {"usage": usage_object(message.usage)}
    return {
        "id": message.response_id,
        "object": "chat.completion",
        "created": write.CREATED,
        "model": message.model,
        "choices": [choice],
        **usage,
    }


def _assistant(message: Message) -> dict[str, JSON]:
    calls = [_whole_call(part) for part in message.content if isinstance(part, ToolCall)]
    reasoning = _joined(message, Reasoning)
    return {
        "role": "assistant",
        "content": _joined(message, Text),
        "refusal": _joined(message, Refusal),
        **({"tool_calls": calls} if calls else {}),
        **({REASONING[0]: reasoning} if reasoning else {}),
    }


def _joined(message: Message, kind: type[Text | Reasoning | Refusal]) -> str | None:
    """Return the text of all parts of a kind; the object has null where there are none."""
    return "".join(part.text for part in message.content if isinstance(part, kind)) or None


def _whole_call(call: ToolCall) -> dict[str, JSON]:
    function = {"name": call.name, "arguments": call.arguments_raw}
    return {"id": call.id, "type": "function", "function": function}
