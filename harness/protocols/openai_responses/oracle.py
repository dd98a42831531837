"""What Responses events mean: the text one carries, its finish word, its usage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model import Event
from harness.protocols.protocol import Oracle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.model import JSON


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
