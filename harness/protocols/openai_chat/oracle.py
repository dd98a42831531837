"""What Chat Completions chunks mean: the text one carries, its finish word, its usage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model import Event
from harness.protocols.protocol import Oracle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.model import JSON


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
