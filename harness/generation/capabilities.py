"""As much of a message as a protocol can express, and what a listener must deliver of it.

What a protocol cannot express is sent in another way or not at all; a property that required it
nevertheless would be wrong. Words have the meaning they have in every outcome: usage.input is the
whole prompt, output includes reasoning, and a finish of length, filter or pause makes the ending
``incomplete``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.model import Reasoning, RedactedReasoning, Refusal, Text, Usage
from harness.protocols import protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model import JSON, Part
    from harness.protocols.message import Message
    from harness.protocols.protocol import Expressible


def expressible(name: str, message: Message) -> Message:
    """Return as much of a message as a protocol can express.

    Args:
        name: the protocol.
        message: what the model produced.
    """
    limits = protocol(name).expressible
    return replace(
        message,
        content=tuple(_parts(limits, message)),
        finish=limits.instead.get(message.finish, message.finish),
        ending="complete" if _becomes_stop(limits, message) else message.ending,
        usage=_usage(limits, message.usage),
    )


def _becomes_stop(limits: Expressible, message: Message) -> bool:
    return message.ending == "incomplete" and limits.instead.get(message.finish) == "stop"


def _parts(limits: Expressible, message: Message) -> Iterator[Part]:
    for part in message.content:
        if isinstance(part, Refusal) and not limits.refusals:
            yield Text(text=part.text)
        elif limits.reasoning or not isinstance(part, Reasoning | RedactedReasoning):
            yield part


def _usage(limits: Expressible, usage: Usage | None) -> Usage | None:
    if usage is None:
        return Usage(input=0, output=0) if limits.always_reports_usage else None
    missing = set(Usage.model_fields) - limits.usage - {"total"}  # the reader computes the total
    return usage.model_copy(update=dict.fromkeys(missing))


def expected(name: str, message: Message) -> dict[str, JSON]:
    """Return what a listener must deliver, by the keys of a scenario's ``must``.

    Args:
        name: the protocol.
        message: what was sent, as much as the protocol can express.
    """
    found: dict[str, JSON] = {
        "text": _joined(message, "text"),
        "reasoning": _joined(message, "reasoning"),
        "refusal": _joined(message, "refusal"),
        "ending": message.ending,
    }
    if message.ending in {"truncated", "failed"}:
        return found
    usage = message.usage and _with_total(message.usage).model_dump()
    calls = calls_of(name, message)
    return {**found, "finish": message.finish, "usage": usage, "tool_calls": calls}


def calls_of(name: str, message: Message) -> list[JSON]:
    """Return the tool calls of a message as a listener must deliver them."""
    fields = ["id", "name", "arguments", "complete"]
    if protocol(name).expressible.arguments_as_text:
        fields.append("arguments_raw")
    calls = (part.model_dump(mode="json") for part in message.content if part.kind == "tool_call")
    return [{field: call[field] for field in fields} for call in calls]


def _joined(message: Message, kind: str) -> str:
    return "".join(getattr(part, "text", "") for part in message.content if part.kind == kind)


def _with_total(usage: Usage) -> Usage:
    """Return usage with a total: the reported one, or else input plus output."""
    if usage.total is not None or usage.input is None or usage.output is None:
        return usage
    return usage.model_copy(update={"total": usage.input + usage.output})
