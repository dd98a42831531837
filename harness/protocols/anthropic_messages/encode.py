"""A message as a Messages stream, and as one ``Message`` where no stream is asked for.

Blocks follow one another, so the only freedom is how their texts fall into deltas.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

from harness.model import Usage
from harness.protocols.anthropic_messages import skeletons as write
from harness.protocols.anthropic_messages.vocabulary import (
    BESIDE_INPUT,
    DELTA_FIELDS,
    DELTAS_OF,
    FINISH,
    USAGE,
)
from harness.protocols.composing import merge
from harness.protocols.message import IN_ORDER
from harness.protocols.paths import put

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.model import (
        JSON,
        Event,
        Reasoning,
        RedactedReasoning,
        Refusal,
        ServerTool,
        Text,
        ToolCall,
    )
    from harness.protocols.message import DeltaPlan, Message

# A block as its start carries it, and its deltas.
_Written: TypeAlias = "tuple[dict[str, JSON], list[dict[str, JSON]]]"

# Our finish reason -> the first provider word that means it; cancelled and unknown have none.
WORD = {finish: word for word, finish in reversed(list(FINISH.items()))}


def encode(message: Message, plan: DeltaPlan = IN_ORDER) -> list[Event]:
    """Return the legal event stream of a message.

    Args:
        message: what is encoded; refusals have no block of their own and are written as text, media
            have none at all and are left out.
        plan: how texts are split; blocks do not overlap.
    """
    usage = usage_object(message.usage or Usage(input=0, output=0))
    opening = {**usage, USAGE["output"]: min(1, usage.get(USAGE["output"], 0))}
    events = [write.message_start(message.model, message.response_id, opening)]
    parts = (part for part in message.content if part.kind in _WRITTEN)
    for index, part in enumerate(parts):
        block, deltas = _WRITTEN[part.kind](part, plan)
        events.append(write.block_start(index, block))
        events += (write.block_delta(index, delta) for delta in deltas)
        events.append(write.block_stop(index))
    return events + list(_closing(message, usage))


def _closing(message: Message, usage: dict[str, JSON]) -> Iterator[Event]:
    if message.ending == "truncated":
        return
    if message.error is not None:
        yield write.error(message.error.code or "api_error", message.error.message)
        return
    yield write.message_delta(WORD.get(message.finish, "end_turn"), usage)
    yield write.message_stop()


def usage_object(usage: Usage) -> dict[str, JSON]:
    """Write our counts as the provider does: its input excludes the cache."""
    counts = usage.model_dump()
    if usage.input is not None:
        counts["input"] = usage.input - sum(counts[own] or 0 for own in BESIDE_INPUT)
    written: dict[str, JSON] = {}
    for ours, path in USAGE.items():
        if counts[ours] is not None:
            put(written, path, counts[ours])
    return written


def _text(part: Text, plan: DeltaPlan) -> _Written:
    """Citations come before the text they support, as in every recording."""
    cited = [_delta("citations_delta", citation) for citation in part.citations or ()]
    return {"type": "text"}, [*cited, *_deltas("text_delta", part.text, plan)]


def _refusal(part: Refusal, plan: DeltaPlan) -> _Written:
    return {"type": "text"}, _deltas("text_delta", part.text, plan)


def _thinking(part: Reasoning, plan: DeltaPlan) -> _Written:
    deltas = _deltas("thinking_delta", part.text, plan)
    if part.signature is not None:
        deltas.append(_delta("signature_delta", part.signature))
    return {"type": "thinking"}, deltas


def _redacted(part: RedactedReasoning, _: DeltaPlan) -> _Written:
    return {"type": "redacted_thinking", "data": part.data}, []


def _call(part: ToolCall, plan: DeltaPlan) -> _Written:
    called = {"type": "tool_use", "id": part.id, "name": part.name}
    return called, _deltas("input_json_delta", part.arguments_raw, plan)


def _server_tool(part: ServerTool, plan: DeltaPlan) -> _Written:
    """A result is a block of its own type, complete at its start; a use has input as a call has."""
    if part.name in DELTAS_OF and isinstance(part.data, dict):
        return {**part.data, "type": part.name}, []
    arguments = "" if part.data is None else json.dumps(part.data, ensure_ascii=False)
    called = {"type": "server_tool_use", "id": part.id, "name": part.name}
    return called, _deltas("input_json_delta", arguments, plan)


def _deltas(delta_type: str, text: str, plan: DeltaPlan) -> list[dict[str, JSON]]:
    return [_delta(delta_type, piece) for piece in plan.split(text)]


def _delta(delta_type: str, value: JSON) -> dict[str, JSON]:
    return {"type": delta_type, DELTA_FIELDS[delta_type][0]: value}


# How each kind of part is written; the protocol has no block for what is missing here.
_WRITTEN: Mapping[str, Callable[[Any, DeltaPlan], _Written]] = {
    "text": _text,
    "refusal": _refusal,
    "reasoning": _thinking,
    "redacted_reasoning": _redacted,
    "tool_call": _call,
    "server_tool": _server_tool,
}


def response_body(message: Message) -> dict[str, JSON]:
    """Return the body of a response that is not streamed: one ``Message``.

    https://docs.claude.com/en/api/messages

    Args:
        message: a finished message; refusals have no block of their own and are written as text,
            the provider's own tools are left out.
    """
    usage = usage_object(message.usage or Usage(input=0, output=0))
    opening = write.message_start(message.model, message.response_id, usage).data
    blocks = [_BLOCKS[part.kind](part) for part in message.content if part.kind in _BLOCKS]
    finished = {"content": blocks, "stop_reason": WORD.get(message.finish, "end_turn")}
    body = merge(opening["message"] if isinstance(opening, dict) else {}, finished)
    return body if isinstance(body, dict) else {}


def _text_block(part: Text | Refusal) -> dict[str, JSON]:
    cited = list(getattr(part, "citations", None) or ()) or None
    return {"type": "text", "text": part.text, "citations": cited}


def _thinking_block(part: Reasoning) -> dict[str, JSON]:
    return {"type": "thinking", "thinking": part.text, "signature": part.signature or ""}


def _redacted_block(part: RedactedReasoning) -> dict[str, JSON]:
    return {"type": "redacted_thinking", "data": part.data}


def _call_block(part: ToolCall) -> dict[str, JSON]:
    """Return a call whose input is an object; the stream has its text instead."""
    arguments = json.loads(part.arguments_raw or "{}")
    return {"type": "tool_use", "id": part.id, "name": part.name, "input": arguments}


# Kind of part -> the finished block that holds it.
_BLOCKS: Mapping[str, Callable[[Any], dict[str, JSON]]] = {
    "text": _text_block,
    "refusal": _text_block,
    "reasoning": _thinking_block,
    "redacted_reasoning": _redacted_block,
    "tool_call": _call_block,
}
