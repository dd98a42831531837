"""A message as the one ``Message`` object of a request without ``stream``.

https://docs.claude.com/en/api/messages (the response's body)
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harness.model import Usage
from harness.protocols.anthropic_messages import skeletons as write
from harness.protocols.anthropic_messages.encode import WORD, usage_object
from harness.protocols.composing import merge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.model import JSON, Reasoning, RedactedReasoning, Refusal, Text, ToolCall
    from harness.protocols.message import Message


def response_body(message: Message) -> dict[str, JSON]:
    """Return the body of a finished message.

    Args:
        message: what is said; refusals have no block of their own and are written as text, what
            the provider's own tools did is left out.
    """
    usage = usage_object(message.usage or Usage(input=0, output=0))
    opening = write.message_start(message.model, message.response_id, usage).data
    blocks = [_BLOCKS[part.kind](part) for part in message.content if part.kind in _BLOCKS]
    said = {"content": blocks, "stop_reason": WORD.get(message.finish, "end_turn")}
    body = merge(opening["message"] if isinstance(opening, dict) else {}, said)
    return body if isinstance(body, dict) else {}


def _text(part: Text | Refusal) -> dict[str, JSON]:
    cited = list(getattr(part, "citations", None) or ()) or None
    return {"type": "text", "text": part.text, "citations": cited}


def _thinking(part: Reasoning) -> dict[str, JSON]:
    return {"type": "thinking", "thinking": part.text, "signature": part.signature or ""}


def _redacted(part: RedactedReasoning) -> dict[str, JSON]:
    return {"type": "redacted_thinking", "data": part.data}


def _call(part: ToolCall) -> dict[str, JSON]:
    """Write a call; its input is an object here, where the stream has its text."""
    said = json.loads(part.arguments_raw or "{}")
    return {"type": "tool_use", "id": part.id, "name": part.name, "input": said}


_BLOCKS: Mapping[str, Callable[[Any], dict[str, JSON]]] = {
    "text": _text,
    "refusal": _text,
    "reasoning": _thinking,
    "redacted_reasoning": _redacted,
    "tool_call": _call,
}
