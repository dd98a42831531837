"""A message as the Messages stream that carries it.

Blocks follow one another, so the only freedom is how their texts fall into deltas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model import Reasoning, RedactedReasoning, ServerTool, Text, ToolCall, Usage
from harness.protocols.anthropic_messages import skeletons as write
from harness.protocols.anthropic_messages.words import FINISH, USAGE
from harness.protocols.message import IN_ORDER
from harness.protocols.paths import put

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model import JSON, ErrorInfo, Event, Part
    from harness.protocols.message import Message, Weave

# Our finish reason -> the first provider word that means it.
_WORD = {finish: word for word, finish in reversed(list(FINISH.items()))}


def encode(message: Message, weave: Weave = IN_ORDER) -> list[Event]:
    """Return the legal event stream of a message.

    Args:
        message: what is said; refusals have no block of their own and are written as text.
        weave: how texts are split; blocks cannot overlap.
    """
    usage = _usage(message.usage or Usage(input=0, output=0))
    opening = {**usage, USAGE["output"]: min(1, usage.get(USAGE["output"], 0))}
    events = [write.message_start(message.model, message.response_id, opening)]
    for index, part in enumerate(message.content):
        events += _block(index, part, weave)
    return events + list(_closing(message, usage))


def _closing(message: Message, usage: dict[str, JSON]) -> Iterator[Event]:
    if message.ending == "truncated":
        return
    if message.error is not None:
        yield _error(message.error)
        return
    yield write.message_delta(_WORD[message.finish], usage)
    yield write.message_stop()


def _error(error: ErrorInfo) -> Event:
    return write.error(error.code or "api_error", error.message)


def _usage(usage: Usage) -> dict[str, JSON]:
    """Write our counts as the provider does: its input excludes the cache."""
    counts = usage.model_dump()
    if usage.input is not None:
        counts["input"] = usage.input - (usage.cached or 0) - (usage.cache_write or 0)
    written: dict[str, JSON] = {}
    for ours, path in USAGE.items():
        if counts[ours] is not None:
            put(written, path, counts[ours])
    return written


def _block(index: int, part: Part, weave: Weave) -> Iterator[Event]:
    block, deltas = _written(part, weave)
    yield write.block_start(index, block)
    for delta in deltas:
        yield write.block_delta(index, delta)
    yield write.block_stop(index)


def _written(part: Part, weave: Weave) -> tuple[dict[str, JSON], list[dict[str, JSON]]]:
    """Return a part's start block and its deltas."""
    match part:
        case Reasoning():
            deltas = _deltas("thinking_delta", "thinking", part.text, weave)
            if part.signature is not None:
                deltas.append({"type": "signature_delta", "signature": part.signature})
            return {"type": "thinking"}, deltas
        case RedactedReasoning():
            return {"type": "redacted_thinking", "data": part.data}, []
        case ToolCall():
            deltas = _deltas("input_json_delta", "partial_json", part.arguments_raw, weave)
            return {"type": "tool_use", "id": part.id, "name": part.name}, deltas
        case ServerTool():
            return {"type": "server_tool_use", "id": part.id, "name": part.name}, []
        case Text() if part.citations:
            cited = [{"type": "citations_delta", "citation": c} for c in part.citations]
            deltas = _deltas("text_delta", "text", part.text, weave)
            return {"type": "text", "citations": []}, [*cited, *deltas]
    return {"type": "text"}, _deltas("text_delta", "text", getattr(part, "text", ""), weave)


def _deltas(kind: str, field: str, text: str, weave: Weave) -> list[dict[str, JSON]]:
    return [{"type": kind, field: piece} for piece in weave.split(text)]
