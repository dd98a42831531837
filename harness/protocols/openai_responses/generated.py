"""Generated Responses streams: how a step is written in the shorthand, and what events mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model import Event
from harness.protocols.composing import Entry
from harness.protocols.generated import JSON_TEXTS, TEXTS, split_label
from harness.protocols.openai_responses.vocabulary import FIELD_EVENTS
from harness.protocols.protocol import Oracle, Samples

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

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


def text(event: Event) -> str:
    """Return the text of the answer that an event carries."""
    if event.name != "response.output_text.delta" or not isinstance(event.data, dict):
        return ""
    return str(event.data["delta"])


def replace_finish(data: Mapping[str, JSON], word: str) -> dict[str, JSON] | None:
    """Return the fields of a terminal with another reason; only an incomplete one has a reason."""
    if data.get("type") != "response.incomplete":
        return None
    return {"response": {**data["response"], "incomplete_details": {"reason": word}}}


def earlier_usage(_: Event, __: Callable[[JSON], JSON]) -> Event | None:
    """Return None: usage is reported once, by the terminal event."""
    return None


ORACLE = Oracle(
    text,
    finished_by=(),
    replace_finish=replace_finish,
    earlier_usage=earlier_usage,
    error=Event("error", {"type": "error", "code": "server_error", "message": "no"}),
)
