"""How an event with a given label is written in the shorthand of Messages scenarios."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.protocols.anthropic_messages.vocabulary import DELTA_FIELDS
from harness.protocols.composing import Entry
from harness.protocols.protocol import Samples
from harness.protocols.sampling import JSON_TEXTS, TEXTS, split_label

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
