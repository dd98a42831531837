"""How much of a message each wire can say, and what has to come back of it.

A wire that has no word for something says it in another way or not at all; a law that asked for it
nevertheless would be wrong. The source of each entry is its document; words mean what they mean in
every outcome (usage.input is the whole prompt, output includes reasoning, a terminal that says
length, filter or pause makes the ending ``incomplete``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.model import Refusal, Text, Usage
from harness.protocols import protocol

if TYPE_CHECKING:
    from harness.model import JSON, Part
    from harness.protocols.message import Message
    from harness.protocols.protocol import Expressible


def expressible(name: str, message: Message) -> Message:
    """Return as much of a message as a wire can say.

    Args:
        name: the protocol.
        message: what the model said.
    """
    wire = protocol(name).expressible
    return replace(
        message,
        content=tuple(_part(wire, part) for part in message.content),
        finish=wire.instead.get(message.finish, message.finish),
        ending="complete" if _becomes_stop(wire, message) else message.ending,
        usage=_usage(wire, message.usage),
    )


def _becomes_stop(wire: Expressible, message: Message) -> bool:
    return message.ending == "incomplete" and wire.instead.get(message.finish) == "stop"


def _part(wire: Expressible, part: Part) -> Part:
    if isinstance(part, Refusal) and not wire.refusals:
        return Text(text=part.text)
    return part


def _usage(wire: Expressible, usage: Usage | None) -> Usage | None:
    if usage is None:
        return Usage(input=0, output=0) if wire.always_reports_usage else None
    missing = {"cache_write": None} if "cache_write" not in wire.usage else {}
    return usage.model_copy(update=missing)


def expected(name: str, said: Message) -> dict[str, JSON]:
    """Return what a listener owes whoever reads it, by the keys of ``must``.

    Args:
        name: the protocol.
        said: what its wire said.
    """
    found: dict[str, JSON] = {
        "text": _joined(said, "text"),
        "reasoning": _joined(said, "reasoning"),
        "refusal": _joined(said, "refusal"),
        "ending": said.ending,
    }
    if said.ending in {"truncated", "failed"}:
        return found
    usage = said.usage and _counted(said.usage).model_dump()
    return {**found, "finish": said.finish, "usage": usage, "tool_calls": calls_of(name, said)}


def calls_of(name: str, said: Message) -> list[JSON]:
    """Return the calls of a message as they have to come back."""
    fields = ["id", "name", "arguments", "complete"]
    if protocol(name).expressible.arguments_as_text:
        fields.append("arguments_raw")
    calls = (part.model_dump(mode="json") for part in said.content if part.kind == "tool_call")
    return [{field: call[field] for field in fields} for call in calls]


def _joined(said: Message, kind: str) -> str:
    return "".join(getattr(part, "text", "") for part in said.content if part.kind == kind)


def _counted(usage: Usage) -> Usage:
    """Fill in the total: what the provider reported, or else input plus output."""
    if usage.total is not None or usage.input is None or usage.output is None:
        return usage
    return usage.model_copy(update={"total": usage.input + usage.output})
