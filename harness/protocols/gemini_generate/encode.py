"""A message as a streamGenerateContent stream, and as one response where no stream is asked for.

Unsigned text may be split into any number of parts; everything else is one part. A response may
hold several parts.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.model import Event, Media, Reasoning, RedactedReasoning, ServerTool, Text, ToolCall
from harness.protocols.gemini_generate import skeletons as write
from harness.protocols.gemini_generate.vocabulary import DATA, FINISH, USAGE
from harness.protocols.message import IN_ORDER, DeltaPlan
from harness.protocols.paths import json_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model import JSON, ErrorInfo, Part, Usage
    from harness.protocols.message import Message

# Our finish reason -> the first provider word that means it. Calls and refusals end with STOP.
WORD = {
    **{finish: word for word, finish in reversed(list(FINISH.items()))},
    "tool_calls": "STOP",
    "refusal": "STOP",
}


def encode(message: Message, plan: DeltaPlan = IN_ORDER) -> list[Event]:
    """Return the legal event stream of a message.

    Args:
        message: what is encoded; refusals have no part of their own and are written as text.
        plan: how texts are split; ``pick`` chooses, for each part, between a response of its own
            (0) and the response of the part before it (1).
    """
    named = {"modelVersion": message.model, "responseId": message.response_id}
    parts = (part for each in message.content for part in _parts(each, plan))
    events = [write.response(group, None, named) for group in _grouped(parts, plan)]
    return events + list(_closing(message, named))


_UNSPLIT = DeltaPlan(split=lambda text: [text])


def response_body(message: Message) -> dict[str, JSON]:
    """Return the body of a response that is not streamed: one response that holds every part.

    https://ai.google.dev/api/generate-content#method:-models.generatecontent

    Args:
        message: a finished message; refusals have no part of their own and are written as text.
    """
    parts = [part for each in message.content for part in _parts(each, _UNSPLIT)]
    usage = {} if message.usage is None else {"usageMetadata": _counts(message.usage)}
    named = {"modelVersion": message.model, "responseId": message.response_id}
    finish: dict[str, JSON] = {"finishReason": WORD[message.finish]}
    body = write.response(parts, finish, {**named, **usage}).data
    return body if isinstance(body, dict) else {}


def _grouped(parts: Iterator[JSON], plan: DeltaPlan) -> Iterator[list[JSON]]:
    group: list[JSON] = []
    for part in parts:
        if group and not plan.pick(2):
            yield group
            group = []
        group.append(part)
    if group:
        yield group


def _closing(message: Message, named: dict[str, JSON]) -> Iterator[Event]:
    if message.ending == "truncated":
        return
    if message.error is not None:
        yield _error(message.error)
    else:
        usage = {} if message.usage is None else {"usageMetadata": _counts(message.usage)}
        finish = {"finishReason": WORD[message.finish]}
        yield write.response([{"text": ""}], finish, {**named, **usage})


def _error(error: ErrorInfo) -> Event:
    body = {"code": 500, "message": error.message, "status": error.code or "INTERNAL"}
    return Event(None, {"error": body})


def _counts(usage: Usage) -> dict[str, JSON]:
    """Return our counts as the provider does: its candidates exclude the thoughts."""
    ours = usage.model_dump()
    if usage.output is not None:
        ours["output"] = usage.output - (usage.reasoning or 0)
    return {json_name(USAGE[name]): ours[name] for name in USAGE if ours[name] is not None}


def _parts(part: Part, plan: DeltaPlan) -> Iterator[JSON]:
    """Yield the parts that carry one part of the message."""
    match part:
        case Text() | Reasoning():
            yield from _texts(part, plan)
        case RedactedReasoning():
            yield {"text": "", "thought": True, "thoughtSignature": part.data}
        case ToolCall():
            yield {"functionCall": _call(part), **_signature(part.signature)}
        case ServerTool():
            field = json_name(part.name if part.name in DATA else "tool_call")
            yield {field: part.data or {}, **_signature(part.signature)}
        case Media():
            blob = {"mimeType": part.media_type, "data": part.data}
            yield {"inlineData": blob, **_signature(part.signature)}
        case _:
            yield {"text": part.text}


def _texts(part: Text | Reasoning, plan: DeltaPlan) -> Iterator[JSON]:
    thought = {"thought": True} if isinstance(part, Reasoning) else {}
    pieces = plan.split(part.text) if part.signature is None else [part.text]
    for piece in pieces:
        yield {"text": piece, **thought, **_signature(part.signature)}


def _call(call: ToolCall) -> dict[str, JSON]:
    """Return a call; one that is not complete stays open, and its next piece never follows."""
    named = {"name": call.name} if call.id is None else {"id": call.id, "name": call.name}
    if not call.complete:
        return {**named, "willContinue": True}
    return {**named, "args": json.loads(call.arguments_raw)}


def _signature(signature: str | None) -> dict[str, JSON]:
    return {} if signature is None else {"thoughtSignature": signature}
