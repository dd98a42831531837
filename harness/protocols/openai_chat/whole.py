"""A message as the one ``chat.completion`` object of a request without ``stream``.

https://developers.openai.com/api/docs/api-reference/chat/object
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model import Reasoning, Refusal, Text, ToolCall
from harness.protocols.openai_chat.encode import WORD, usage_object
from harness.protocols.openai_chat.skeletons import CREATED
from harness.protocols.openai_chat.vocabulary import REASONING

if TYPE_CHECKING:
    from harness.model import JSON
    from harness.protocols.message import Message


def response_body(message: Message) -> dict[str, JSON]:
    """Return the body of a finished message.

    Args:
        message: what is said; sealed reasoning and audio are left out.
    """
    choice = {
        "index": 0,
        "message": _message(message),
        "logprobs": None,
        "finish_reason": WORD.get(message.finish, "stop"),
    }
    usage = {} if message.usage is None else {"usage": usage_object(message.usage)}
    return {
        "id": message.response_id,
        "object": "chat.completion",
        "created": CREATED,
        "model": message.model,
        "choices": [choice],
        **usage,
    }


def _message(message: Message) -> dict[str, JSON]:
    calls = [_call(part) for part in message.content if isinstance(part, ToolCall)]
    thought = _joined(message, Reasoning)
    return {
        "role": "assistant",
        "content": _joined(message, Text),
        "refusal": _joined(message, Refusal),
        **({"tool_calls": calls} if calls else {}),
        **({REASONING[0]: thought} if thought else {}),
    }


def _joined(message: Message, kind: type[Text | Reasoning | Refusal]) -> str | None:
    """Return all words of a kind; the object says null where there are none."""
    return "".join(part.text for part in message.content if isinstance(part, kind)) or None


def _call(call: ToolCall) -> dict[str, JSON]:
    function = {"name": call.name, "arguments": call.arguments_raw}
    return {"id": call.id, "type": "function", "function": function}
