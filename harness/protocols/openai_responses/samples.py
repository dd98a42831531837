"""How an event with a given label is written in the shorthand of Responses scenarios."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.protocols.composing import Entry
from harness.protocols.openai_responses.vocabulary import FIELD_EVENTS
from harness.protocols.protocol import Samples
from harness.protocols.sampling import JSON_TEXTS, TEXTS, split_label

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.model import JSON
    from harness.protocols.grammar import Step


def entry(step: Step, choose: Callable[[Sequence[JSON]], JSON]) -> Entry:
    """Return the entry that writes an event with a step."""
    word, kind = split_label(step.label)
    payload: dict[str, JSON] = {"at": list(step.key)} if step.key else {}
    if kind:
        payload["part" if "part." in word else "item"] = {"type": kind}
    if word.endswith(".delta"):
        stem = word.removesuffix(".delta")
        payload["delta"] = choose(JSON_TEXTS if stem in FIELD_EVENTS else TEXTS)
    return Entry(word, payload)


SAMPLES = Samples(entry, early_ends=frozenset({"error"}))
