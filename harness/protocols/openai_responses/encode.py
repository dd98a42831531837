"""A message as a Responses stream, and as one ``Response`` object where no stream is asked for.

Parallel calls may overlap, since each carries its index; everything else follows in order. Text
and refusals that are neighbours share one message item, as parts of it.
"""

from __future__ import annotations

from itertools import chain, groupby
from typing import TYPE_CHECKING

from harness.model import Media, Reasoning, RedactedReasoning, Refusal, Text, ToolCall
from harness.protocols.message import IN_ORDER
from harness.protocols.openai_responses.grammar import ADDED, DONE
from harness.protocols.openai_responses.skeletons import ResponsesComposer
from harness.protocols.openai_responses.vocabulary import (
    FINISH,
    INCOMPLETE,
    PARAGRAPH,
    PROGRESS,
    TERMINALS,
    USAGE,
)
from harness.protocols.paths import put

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.model import JSON, Event, FinishReason, Part, Usage
    from harness.protocols.message import DeltaPlan, Message

# Our finish reason -> the first provider word that means it, if a terminal event can have it.
_WORD: Mapping[FinishReason, str] = {
    "tool_calls": "completed",
    "refusal": "completed",
    **{
        finish: word
        for word, finish in reversed(list(FINISH.items()))
        if word in INCOMPLETE or word in TERMINALS.values()
    },
}


def encode(message: Message, plan: DeltaPlan = IN_ORDER) -> list[Event]:
    """Return the legal event stream of a message.

    Args:
        message: what is encoded. Redacted reasoning is an item with encrypted content only; where
            the provider has no terminal event for the finish, none is written.
        plan: how texts are split, and how neighbouring tool calls overlap.
    """
    write = ResponsesComposer(message.model, message.response_id)
    events = [write.opening(f"response.{word}", {}) for word in ("created", "in_progress")]
    index = 0
    for group, parts in groupby(message.content, key=_group):
        sequences = list(_sequences(write, index, group, list(parts), plan))
        index += len(sequences)
        events += _overlapping(sequences, plan) if group == "tool_call" else chain(*sequences)
    return events + list(_closing(write, message))


def response_body(message: Message) -> dict[str, JSON]:
    """Return the body of a response that is not streamed: the object of the terminal event.

    https://developers.openai.com/api/docs/api-reference/responses/object

    Args:
        message: a finished message whose finish a terminal event can have.
    """
    terminal = encode(message)[-1].data
    response: dict[str, JSON] = terminal["response"] if isinstance(terminal, dict) else {}
    return response


def _group(part: Part) -> str:
    """Return what neighbouring parts have in common that are written together."""
    return "message" if isinstance(part, Text | Refusal) else part.kind


def _sequences(
    write: ResponsesComposer, index: int, group: str, parts: list[Part], plan: DeltaPlan
) -> Iterator[Iterator[Event]]:
    """Yield the events of each item."""
    if group == "message":
        kinds = ["refusal" if isinstance(part, Refusal) else "output_text" for part in parts]
        says = [list(plan.split(getattr(part, "text", ""))) for part in parts]
        yield write.message({"at": [index], "says": says}, *kinds)
        return
    for place, part in enumerate(parts):
        yield _item(write, [index + place], part, plan)


def _item(write: ResponsesComposer, at: list[int], part: Part, plan: DeltaPlan) -> Iterator[Event]:
    match part:
        case ToolCall():
            return write.call({"at": at, **_call(part, plan)})
        case Reasoning():
            says = [list(plan.split(paragraph)) for paragraph in _paragraphs(part.text)]
            return write.reasoning({"at": at, "says": says, "encrypted": part.signature})
        case RedactedReasoning():
            return write.reasoning({"at": at, "encrypted": part.data})
        case Media():
            image = (part.media_type or "image/png").rpartition("/")[2]
            item = {"type": "image_generation_call", "output_format": image}
            return _added_and_done(write, at, item, {"result": part.data})
    name, item_id = getattr(part, "name", None), getattr(part, "id", None)
    known = {"type": name} if name in PROGRESS else {"type": "mcp_call", "name": name}
    return _added_and_done(write, at, {**known, "id": item_id}, {})


def _call(call: ToolCall, plan: DeltaPlan) -> dict[str, JSON]:
    return {
        "call_id": call.id,
        "name": call.name,
        "arguments": list(plan.split(call.arguments_raw)),
        "status": "completed" if call.complete else "incomplete",
    }


def _paragraphs(text: str) -> list[str]:
    """Split reasoning into summary parts where none of them is empty; a reader would drop those."""
    parts = text.split(PARAGRAPH)
    return parts if all(parts) else [text][: len(text)]


def _added_and_done(
    write: ResponsesComposer, at: list[int], added: dict[str, JSON], done: dict[str, JSON]
) -> Iterator[Event]:
    yield write.add(ADDED, {"at": at, "item": added})
    yield write.finish(DONE, {"at": at, "item": done})


def _overlapping(sequences: Sequence[Iterator[Event]], plan: DeltaPlan) -> Iterator[Event]:
    """Merge sequences as ``plan.pick`` decides; they open in order, as their indexes demand."""
    waiting = list(sequences)
    opened: list[Iterator[Event]] = []
    while waiting or opened:
        at = plan.pick(len(opened) + bool(waiting))
        if at == len(opened):
            opened.append(waiting.pop(0))
        event = next(opened[at], None)
        if event is None:
            del opened[at]
        else:
            yield event


def _closing(write: ResponsesComposer, message: Message) -> Iterator[Event]:
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
    yield write.terminal(f"response.{status}", {"response": response})


def _usage(usage: Usage | None) -> JSON:
    if usage is None:
        return None
    written: dict[str, JSON] = {}
    for ours, path in USAGE.items():
        count = getattr(usage, ours)
        if count is not None:
            put(written, path, count)
    return written
