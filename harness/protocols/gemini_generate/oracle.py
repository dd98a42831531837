"""What streamGenerateContent responses mean: the text one carries, its finish reason, its usage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model import Event
from harness.protocols.protocol import Oracle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.model import JSON


def text(event: Event) -> str:
    """Return the text of the answer that a response carries."""
    candidates = event.data.get("candidates", []) if isinstance(event.data, dict) else []
    parts = [part for one in candidates for part in one["content"]["parts"]]
    return "".join(part.get("text", "") for part in parts if not part.get("thought"))


def replace_finish(data: Mapping[str, JSON], word: str) -> dict[str, JSON] | None:
    """Return the candidates of a response with another finish reason; Google writes capitals."""
    candidates = data.get("candidates")
    if not candidates or not candidates[0].get("finishReason"):
        return None
    return {"candidates": [{**candidates[0], "finishReason": word.upper()}]}


def earlier_usage(event: Event, scaled: Callable[[JSON], JSON]) -> Event | None:
    """Return a response without a finish that reports smaller counts, as every response may."""
    if not isinstance(event.data, dict) or "usageMetadata" not in event.data:
        return None
    counts = {"usageMetadata": scaled(event.data["usageMetadata"])}
    return Event(event.name, {**event.data, **counts, "candidates": _UNFINISHED})


_UNFINISHED: JSON = [{"content": {"parts": [{"text": ""}], "role": "model"}, "index": 0}]

ORACLE = Oracle(
    text,
    finished_by=("end",),
    replace_finish=replace_finish,
    earlier_usage=earlier_usage,
    error=Event(None, {"error": {"code": 500, "message": "no", "status": "INTERNAL"}}),
)
