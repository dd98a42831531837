"""A message as the streamGenerateContent stream that carries it.

Unsigned words may fall into any number of parts; everything else arrives whole, in one part. What
is left free is how many parts one response holds.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.model import Event, Media, Reasoning, RedactedReasoning, ServerTool, Text, ToolCall
from harness.protocols.gemini_generate import skeletons as write
from harness.protocols.gemini_generate.vocabulary import DATA, FINISH, USAGE
from harness.protocols.message import IN_ORDER
from harness.protocols.paths import json_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model import JSON, ErrorInfo, Part, Usage
    from harness.protocols.message import DeltaPlan, Message

# Our finish reason -> the first provider word that means it. Calls and refusals end with STOP.
WORD = {
    **{finish: word for word, finish in reversed(list(FINISH.items()))},
    "tool_calls": "STOP",
    "refusal": "STOP",
}


def encode(message: Message, weave: DeltaPlan = IN_ORDER) -> list[Event]:
    """Return the legal event stream of a message.

    Args:
        message: what is said; refusals have no part of their own and are written as text.
        weave: how texts are split; ``pick`` chooses, for each part, between a response of its own
            (0) and the response of the part before it (1).
    """
    named = {"modelVersion": message.model, "responseId": message.response_id}
    parts = (part for said in message.content for part in written(said, weave))
    events = [write.response(group, None, named) for group in _grouped(parts, weave)]
    return events + list(_closing(message, named))


def _grouped(parts: Iterator[JSON], weave: DeltaPlan) -> Iterator[list[JSON]]:
    group: list[JSON] = []
    for part in parts:
        if group and not weave.pick(2):
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
        usage = {} if message.usage is None else {"usageMetadata": counts(message.usage)}
        finish = {"finishReason": WORD[message.finish]}
        yield write.response([{"text": ""}], finish, {**named, **usage})


def _error(error: ErrorInfo) -> Event:
    body = {"code": 500, "message": error.message, "status": error.code or "INTERNAL"}
    return Event(None, {"error": body})


def counts(usage: Usage) -> dict[str, JSON]:
    """Write our counts as the provider does: its candidates exclude the thoughts."""
    ours = usage.model_dump()
    if usage.output is not None:
        ours["output"] = usage.output - (usage.reasoning or 0)
    return {json_name(USAGE[name]): ours[name] for name in USAGE if ours[name] is not None}


def written(said: Part, weave: DeltaPlan) -> Iterator[JSON]:
    """Yield the parts that carry one part of the message."""
    match said:
        case Text() | Reasoning():
            yield from _words(said, weave)
        case RedactedReasoning():
            yield {"text": "", "thought": True, "thoughtSignature": said.data}
        case ToolCall():
            yield {"functionCall": _call(said), **_signature(said.signature)}
        case ServerTool():
            field = json_name(said.name if said.name in DATA else "tool_call")
            yield {field: said.data or {}, **_signature(said.signature)}
        case Media():
            blob = {"mimeType": said.media_type, "data": said.data}
            yield {"inlineData": blob, **_signature(said.signature)}
        case _:
            yield {"text": said.text}


def _words(said: Text | Reasoning, weave: DeltaPlan) -> Iterator[JSON]:
    thought = {"thought": True} if isinstance(said, Reasoning) else {}
    pieces = weave.split(said.text) if said.signature is None else [said.text]
    for piece in pieces:
        yield {"text": piece, **thought, **_signature(said.signature)}


def _call(call: ToolCall) -> dict[str, JSON]:
    """Write a call; one that is not complete is left open, its next piece never comes."""
    named = {"name": call.name} if call.id is None else {"id": call.id, "name": call.name}
    if not call.complete:
        return {**named, "willContinue": True}
    return {**named, "args": json.loads(call.arguments_raw)}


def _signature(signature: str | None) -> dict[str, JSON]:
    return {} if signature is None else {"thoughtSignature": signature}
