"""Parts of a message, for formats that record messages and not streams.

Rule of this file: arguments that are not a JSON object stay text, and the call is incomplete.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.cassettes.importing.source import text
from harness.model import ToolCall, repair_surrogates

if TYPE_CHECKING:
    from harness.protocols.message import Message


def tool_call(name: object, identity: object, arguments: object, number: int) -> ToolCall:
    """Return a tool call.

    Args:
        name: the name of the tool.
        identity: the call's id; one is made up if there is none, because protocols need it.
        arguments: the arguments, as JSON text or as a value.
        number: the position of the call in its message, from 1.
    """
    raw = as_text({} if arguments is None else arguments)
    try:
        read = json.loads(raw)
    except (ValueError, RecursionError):
        read = None
    known = read if isinstance(read, dict) else None
    return ToolCall(
        id=text(identity) or f"call_{number}",
        name=text(name),
        arguments_raw=raw,
        arguments=known,
        complete=known is not None,
    )


def as_text(value: object) -> str:
    """Return text as it is, any other value as JSON."""
    return repair_surrogates(value) if isinstance(value, str) else json.dumps(value)


def with_ids(message: Message, identity: object, model: object) -> Message:
    """Return a message with the recorded response id and model, if any."""
    return replace(
        message,
        response_id=text(identity) or message.response_id,
        model=text(model) or message.model,
    )
