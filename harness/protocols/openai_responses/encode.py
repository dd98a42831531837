"""A message as the Responses stream that carries it.

Parallel calls may overlap, since each carries its index; everything else follows in order. Text
and refusals that stand next to each other share one message, as parts of it.
"""

from __future__ import annotations

from itertools import chain, groupby
from typing import TYPE_CHECKING

from harness.model import Media, Reasoning, RedactedReasoning, Refusal, Text, ToolCall
from harness.protocols.message import IN_ORDER
from harness.protocols.openai_responses.vocabulary import (
    FINISH,
    INCOMPLETE,
    PARAGRAPH,
    PROGRESS,
    TERMINALS,
    USAGE,
)
from harness.protocols.openai_responses.writer import Writer
from harness.protocols.paths import put

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.model import JSON, Event, FinishReason, Part, Usage
    from harness.protocols.message import DeltaPlan, Message

# Our finish reason -> the first provider word that means it, if a terminal can say it.
_WORD: Mapping[FinishReason, str] = {
    "tool_calls": "completed",
    "refusal": "completed",
    **{
        finish: word
        for word, finish in reversed(list(FINISH.items()))
        if word in INCOMPLETE or word in TERMINALS.values()
    },
}


def encode(message: Message, weave: DeltaPlan = IN_ORDER) -> list[Event]:
    """Return the legal event stream of a message.

    Args:
        message: what is said. Redacted reasoning is an item with encrypted content only; where
            the provider has no terminal for the finish, none is written.
        weave: how texts are split, and how neighbouring tool calls overlap.
    """
    writer = Writer(message.model, message.response_id)
    events = [writer.opening("response.created", {}), writer.opening("response.in_progress", {})]
    index = 0
    for family, parts in groupby(message.content, key=_family):
        lanes = list(_lanes(writer, index, family, list(parts), weave))
        index += len(lanes)
        events += _overlapping(lanes, weave) if family == "tool_call" else chain(*lanes)
    return events + list(_closing(writer, message))


def _family(part: Part) -> str:
    return "prose" if isinstance(part, Text | Refusal) else part.kind


def _lanes(
    writer: Writer, index: int, family: str, parts: list[Part], weave: DeltaPlan
) -> Iterator[Iterator[Event]]:
    """Yield the events of each item."""
    if family == "prose":
        kinds = ["refusal" if isinstance(part, Refusal) else "output_text" for part in parts]
        says = [list(weave.split(getattr(part, "text", ""))) for part in parts]
        yield writer.message({"at": [index], "says": says}, *kinds)
        return
    for place, part in enumerate(parts):
        yield _item(writer, [index + place], part, weave)


def _item(writer: Writer, at: list[int], part: Part, weave: DeltaPlan) -> Iterator[Event]:
    match part:
        case ToolCall():
            return writer.call({"at": at, **_call(part, weave)})
        case Reasoning():
            says = [list(weave.split(words)) for words in _paragraphs(part.text)]
            return writer.reasoning({"at": at, "says": says, "encrypted": part.signature})
        case RedactedReasoning():
            return writer.reasoning({"at": at, "encrypted": part.data})
        case Media():
            image = (part.media_type or "image/png").rpartition("/")[2]
            item = {"type": "image_generation_call", "output_format": image}
            return _whole(writer, at, item, {"result": part.data})
    name, item_id = getattr(part, "name", None), getattr(part, "id", None)
    known = {"type": name} if name in PROGRESS else {"type": "mcp_call", "name": name}
    return _whole(writer, at, {**known, "id": item_id}, {})


def _call(call: ToolCall, weave: DeltaPlan) -> dict[str, JSON]:
    return {
        "call_id": call.id,
        "name": call.name,
        "arguments": list(weave.split(call.arguments_raw)),
        "status": "completed" if call.complete else "incomplete",
    }


def _paragraphs(text: str) -> list[str]:
    """Split reasoning into summary parts, where that loses nothing: none of them may be empty."""
    parts = text.split(PARAGRAPH)
    return parts if all(parts) else [text][: len(text)]


def _whole(
    writer: Writer, at: list[int], added: dict[str, JSON], done: dict[str, JSON]
) -> Iterator[Event]:
    yield writer.add({"at": at, "item": added})
    yield writer.finish({"at": at, "item": done})


def _overlapping(lanes: Sequence[Iterator[Event]], weave: DeltaPlan) -> Iterator[Event]:
    """Merge lanes as ``weave.pick`` says; they open in order, as their indexes demand."""
    waiting = list(lanes)
    opened: list[Iterator[Event]] = []
    while waiting or opened:
        at = weave.pick(len(opened) + bool(waiting))
        if at == len(opened):
            opened.append(waiting.pop(0))
        event = next(opened[at], None)
        if event is None:
            del opened[at]
        else:
            yield event


def _closing(writer: Writer, message: Message) -> Iterator[Event]:
    word = "failed" if message.error else _WORD.get(message.finish)
    if message.ending == "truncated" or word is None:
        return
    response: dict[str, JSON] = {"usage": _usage(message.usage)}
    if message.error:
        code = message.error.code or "server_error"
        response["error"] = {"code": code, "message": message.error.message}
    if word in INCOMPLETE:
        response["incomplete_details"] = {"reason": word}
    status = "incomplete" if word in INCOMPLETE else word
    yield writer.terminal(f"response.{status}", {"response": response})


def _usage(usage: Usage | None) -> JSON:
    if usage is None:
        return None
    written: dict[str, JSON] = {}
    for ours, path in USAGE.items():
        count = getattr(usage, ours)
        if count is not None:
            put(written, path, count)
    return written
