"""What was said, out of forms that kept words and no stream: parts of a message.

Rule of this file: arguments that are no JSON object stay a text, and the call incomplete.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.cassettes.importing.source import text
from harness.model import ToolCall, repair_surrogates

if TYPE_CHECKING:
    from harness.protocols.message import Message


def call(name: object, identity: object, arguments: object, number: int) -> ToolCall:
    """Return a call of a tool.

    Args:
        name: its name.
        identity: its id; where there is none it gets one, as protocols need it.
        arguments: its arguments, as JSON text or as the value itself.
        number: which call of its message it is, from 1.
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
    """Return a text as it is, any other value as JSON."""
    return repair_surrogates(value) if isinstance(value, str) else json.dumps(value)


def named(message: Message, identity: object, model: object) -> Message:
    """Return a message under the names its form kept, its own where it kept none."""
    return replace(
        message,
        response_id=text(identity) or message.response_id,
        model=text(model) or message.model,
    )
