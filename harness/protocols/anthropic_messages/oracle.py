"""What Messages events mean: the text one carries, its stop reason, its usage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model import Event
from harness.protocols.protocol import Oracle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.model import JSON


def text(event: Event) -> str:
    """Return the text of the answer that an event carries."""
    delta = event.data.get("delta", {}) if isinstance(event.data, dict) else {}
    return str(delta.get("text", ""))


def replace_finish(data: Mapping[str, JSON], word: str) -> dict[str, JSON] | None:
    """Return the delta of a message_delta with another stop reason."""
    delta = data.get("delta") or {}
    if data.get("type") != "message_delta" or not delta.get("stop_reason"):
        return None
    return {"delta": {**delta, "stop_reason": word}}


def earlier_usage(event: Event, scaled: Callable[[JSON], JSON]) -> Event | None:
    """Return a message_delta without a stop reason that reports smaller counts.

    https://docs.claude.com/en/api/messages-streaming: one or more message_delta, whose counts are
    cumulative.
    """
    if event.name != "message_delta" or not isinstance(event.data, dict):
        return None
    counts = {"usage": scaled(event.data["usage"])}
    return Event(event.name, {**event.data, **counts, "delta": _UNDECIDED})


_UNDECIDED: dict[str, JSON] = {"stop_reason": None, "stop_sequence": None}

ORACLE = Oracle(
    text,
    # Once a stop reason came, message_stop adds nothing (catalogue AN-014).
    finished_by=("message_delta", "message_start[whole]"),
    replace_finish=replace_finish,
    earlier_usage=earlier_usage,
    error=Event("error", {"type": "error", "error": {"type": "overloaded_error", "message": "no"}}),
)
