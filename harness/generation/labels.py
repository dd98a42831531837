"""What one event says, read off the wire: its words of text, and its finish word.

Rules of this file: it knows where the words stand, and nothing of any reader of them; it is the
oracle, so it shares no code with the interfaces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.model import JSON

_STRANGE = "invented_tomorrow"  # a finish word of no table


def restated(name: str, event: Event) -> Event:
    """Replace a finish word, if an event has one; Responses has one only for what is incomplete."""
    data = event.data
    if not isinstance(data, dict):
        return event
    changed = _FINISH[name](data)
    return event if changed is None else Event(event.name, {**data, **changed})


def _choice(data: Mapping[str, JSON]) -> dict[str, JSON] | None:
    choices = data.get("choices")
    if not choices or not choices[0].get("finish_reason"):
        return None
    return {"choices": [{**choices[0], "finish_reason": _STRANGE}]}


def _delta(data: Mapping[str, JSON]) -> dict[str, JSON] | None:
    delta = data.get("delta") or {}
    if data.get("type") != "message_delta" or not delta.get("stop_reason"):
        return None
    return {"delta": {**delta, "stop_reason": _STRANGE}}


def _reason(data: Mapping[str, JSON]) -> dict[str, JSON] | None:
    if data.get("type") != "response.incomplete":
        return None
    return {"response": {**data["response"], "incomplete_details": {"reason": _STRANGE}}}


def _candidate(data: Mapping[str, JSON]) -> dict[str, JSON] | None:
    candidates = data.get("candidates")
    if not candidates or not candidates[0].get("finishReason"):
        return None
    return {"candidates": [{**candidates[0], "finishReason": _STRANGE.upper()}]}


_FINISH: Mapping[str, Callable[[Mapping[str, JSON]], dict[str, JSON] | None]] = {
    "openai_responses": _reason,
    "openai_chat": _choice,
    "anthropic_messages": _delta,
    "gemini_generate": _candidate,
}


# The words of text that one event carries, read off the wire.


def _responses_words(event: Event) -> str:
    return str(event.data["delta"]) if event.name == "response.output_text.delta" else ""  # type: ignore[index]


def _chat_words(event: Event) -> str:
    choices = event.data.get("choices") if isinstance(event.data, dict) else None
    return (choices[0]["delta"].get("content") or "") if choices else ""


def _anthropic_words(event: Event) -> str:
    delta = event.data.get("delta", {}) if isinstance(event.data, dict) else {}
    return str(delta.get("text", ""))


def _gemini_words(event: Event) -> str:
    candidates = event.data.get("candidates", []) if isinstance(event.data, dict) else []
    parts = [part for one in candidates for part in one["content"]["parts"]]
    return "".join(part.get("text", "") for part in parts if not part.get("thought"))


WORDS: Mapping[str, Callable[[Event], str]] = {
    "openai_responses": _responses_words,
    "openai_chat": _chat_words,
    "anthropic_messages": _anthropic_words,
    "gemini_generate": _gemini_words,
}
