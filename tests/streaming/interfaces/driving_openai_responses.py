"""Driving the interface of OpenAI Responses with streams in the notation of scenarios."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from harness.protocols import protocol
from tests.streaming.interfaces import driving
from tests.streaming.interfaces.driving import compose, script_of

if TYPE_CHECKING:
    from harness.wire.script import ResponseEnd
    from tests.streaming.interfaces.driving import Driven

NAME = "openai_responses"
PROTOCOL = protocol(NAME)
START: tuple[Any, ...] = ("response.created", "response.in_progress")
ADDED, DONE = "response.output_item.added", "response.output_item.done"
DELTA, TEXT_DONE = "response.output_text.delta", "response.output_text.done"
ARGUMENTS = "response.function_call_arguments"
COMPLETED: dict[str, Any] = {"response.completed": {}}
# A message that is open, so that deltas may follow.
OPEN: tuple[Any, ...] = (ADDED, "response.content_part.added")

composed = partial(compose, NAME)
script = partial(script_of, NAME)
drive_script = partial(driving.drive, NAME)
drive_async = partial(driving.drive_async, NAME)


def ended(name: str, **response: Any) -> dict[str, Any]:
    """Return a terminal event with these fields of its response."""
    return {f"response.{name}": {"response": response}}


def drive(*entries: Any, end: ResponseEnd = "clean", **arguments: Any) -> Driven:
    """Send a stream, after its opening events, through the synchronous SDK."""
    return drive_script(script(composed(*START, *entries), end=end), **arguments)
