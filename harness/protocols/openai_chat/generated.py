"""Generated Chat streams: how a step is written in the shorthand, and what chunks mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model import Event
from harness.protocols.composing import Entry
from harness.protocols.generated import FRAGMENTS, TEXTS, split_label
from harness.protocols.protocol import Oracle, Samples

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.model import JSON
    from harness.protocols.grammar import Step

    Choose = Callable[[Sequence[JSON]], JSON]
    from collections.abc import Callable

_COUNTS = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
# Labels whose chunk the shorthand writes under another word.
_ENTRIES: Mapping[str, tuple[str, JSON]] = {
    "audio": ("delta", {"audio": {"id": "audio_1", "data": "AAAA"}}),
    "audio.expires": ("delta", {"audio": {"expires_at": 1}}),
    "function.start": ("delta", {"function_call": {"name": "get"}}),
    "filter": ("chunk", {"prompt_filter_results": [{"prompt_index": 0}]}),
    "usage[beside choices]": (
        "chunk",
        {"choices": [{"index": 0, "delta": {}, "finish_reason": None}], "usage": _COUNTS},
    ),
}


def entry(step: Step, choose: Choose) -> Entry:
    """Return the entry that writes a chunk with a step."""
    if step.label in _ENTRIES:
        return Entry(*_ENTRIES[step.label])
    word, kind = split_label(step.label)
    if word == "finish":
        return Entry("finish", kind)
    if word in {"content", "reasoning", "refusal"}:
        return Entry(word, choose(TEXTS))
    if word == "function.arguments":
        return Entry("delta", {"function_call": {"arguments": choose(FRAGMENTS)}})
    if word.startswith("call."):
        return _fragment(word, None if kind else step.key[1], choose)
    return Entry(word)


def _fragment(word: str, index: int | None, choose: Choose) -> Entry:
    at = {"at": None if index is None else [index]}
    if word == "call.start":
        return Entry("tool_call", {**at, "id": f"call_{index}", "name": "get"})
    return Entry("tool_call", {**at, "arguments": choose(FRAGMENTS)})


SAMPLES = Samples(entry, early_ends=frozenset({"error"}), first_only=True)


def text(event: Event) -> str:
    """Return the text of the answer that a chunk carries."""
    choices = event.data.get("choices") if isinstance(event.data, dict) else None
    return (choices[0]["delta"].get("content") or "") if choices else ""


def replace_finish(data: Mapping[str, JSON], word: str) -> dict[str, JSON] | None:
    """Return the choices of a chunk with another finish reason."""
    choices = data.get("choices")
    if not choices or not choices[0].get("finish_reason"):
        return None
    return {"choices": [{**choices[0], "finish_reason": word}]}


def earlier_usage(event: Event, scaled: Callable[[JSON], JSON]) -> Event | None:
    """Return a chunk that reports smaller counts; several servers report the sum so far."""
    if not isinstance(event.data, dict) or not event.data.get("usage"):
        return None
    return Event(event.name, {**event.data, "usage": scaled(event.data["usage"])})


ORACLE = Oracle(
    text,
    finished_by=("finish[",),  # the SDKs read `[DONE]` themselves and hide it (catalogue TR-014)
    replace_finish=replace_finish,
    earlier_usage=earlier_usage,
    error=Event(None, {"error": {"message": "no", "type": "server_error", "code": None}}),
)
