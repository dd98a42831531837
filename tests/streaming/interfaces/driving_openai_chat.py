"""Driving the interface of Chat Completions with streams in the notation of scenarios."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.protocols import protocol
from tests.streaming.interfaces import driving
from tests.streaming.interfaces.driving import compose, script_of

if TYPE_CHECKING:
    from harness.model import Outcome
    from harness.wire.script import ResponseEnd, Script
    from tests.streaming.interfaces.driving import Driven

NAME = "openai_chat"
PROTOCOL = protocol(NAME)
END: tuple[Any, ...] = ({"finish": "stop"}, "done")
CALLED: tuple[Any, ...] = ({"finish": "tool_calls"}, "done")


def script(*entries: Any, cut: str = "event", end: ResponseEnd = "clean") -> Script:
    return script_of(NAME, compose(NAME, *entries), cut, end)


def drive(*entries: Any, end: ResponseEnd = "clean", **arguments: Any) -> Driven:
    """Send a stream through the synchronous SDK into a new interface."""
    return driving.drive(NAME, script(*entries, end=end), **arguments)


def call_of(index: int | None = 0, **fields: str | None) -> dict[str, Any]:
    return {"tool_call": {"at": None if index is None else [index], **fields}}


def arguments(outcome: Outcome) -> list[tuple[str | None, str, bool]]:
    return [(call.name, call.arguments_raw, call.complete) for call in outcome.tool_calls]


def sdk_events(*entries: Any) -> list[Any]:
    """Return the events that the SDK makes of a stream."""
    return driving.sdk_events(NAME, script(*entries))
