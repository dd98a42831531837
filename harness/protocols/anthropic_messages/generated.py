"""Generated Messages streams: how a step is written in the shorthand, and what events mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model import Event
from harness.protocols.anthropic_messages.vocabulary import DELTA_FIELDS
from harness.protocols.composing import Entry
from harness.protocols.generated import JSON_TEXTS, TEXTS, split_label
from harness.protocols.protocol import Oracle, Samples

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.model import JSON
    from harness.protocols.grammar import Step


def entry(step: Step, choose: Callable[[Sequence[JSON]], JSON]) -> Entry:
    """Return the entry that writes an event with a step."""
    word, kind = split_label(step.label)
    if word == "message_start":
        return Entry(word, {"message": {"stop_reason": "tool_use"}} if kind else {})
    if not step.key:
        return Entry(word)
    at = {"at": list(step.key)}
    if word == "content_block_start":
        return Entry(word, {**at, "content_block": {"type": kind}})
    if word == "content_block_stop":
        return Entry(word, at)
    drawn = choose(JSON_TEXTS if kind == "input_json_delta" else TEXTS)
    value = {"type": "char_location"} if kind == "citations_delta" else drawn
    return Entry(kind, {**at, DELTA_FIELDS[kind][0]: value})


SAMPLES = Samples(entry, early_ends=frozenset({"error", "message_start[whole]"}))


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
