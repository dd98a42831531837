"""What was seen of one run through the whole stack, left or not: the values its laws judge.

Rule of this file: things are noted as they stand in the very step in which the client is told that
it is over; nobody gets a moment longer to tidy up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.model import Chunk, Outcome
    from harness.streaming.serving.client_events import ClientEvent
    from harness.streaming.serving.runs.store import Run


@dataclass(frozen=True)
class Step:
    """One step of the agent.

    Args:
        said: the chunks it handed on.
        outcome: what the adapter kept of it, None where nothing is there yet.
        open: its response is open, and more of it was to come.
    """

    said: tuple[Chunk, ...]
    outcome: Outcome | None
    open: bool


@dataclass(frozen=True)
class SeenRun:
    """What was seen of one run.

    Args:
        heard: the frames its client was sent, those after it had gone included.
        arrived: the bytes the provider had sent when each of them came.
        before: how many of them it had heard when it left, or when its run was cancelled.
        left: the client left, or its run was cancelled, before it had heard the end.
        gone: the client itself left; of a run that is merely cancelled it hears the end.
        sent: the bytes the provider had sent when that happened, in the end where it did not.
        at_s: when it happened, in virtual seconds.
        took_s: how long the client was held after that, None where it is held for ever.
        came_out: what came out at the client in place of what had to, None where that did.
        stored: the run as it is kept.
        steps: the steps the agent asked for.
        held: the conversation is not free.
        remembered: how many runs the registry remembers.
        remains: tasks and generators that are still there.
        alarms: what was logged as a warning or worse, or told to asyncio's exception handler.
    """

    heard: tuple[ClientEvent, ...]
    arrived: tuple[int, ...]
    before: int
    left: bool
    gone: bool
    sent: int
    at_s: float
    took_s: float | None
    came_out: str | None
    stored: Run | None
    steps: tuple[Step, ...]
    held: bool
    remembered: int
    remains: tuple[str, ...]
    alarms: tuple[str, ...] = ()

    @property
    def told(self) -> str | None:
        """The stop reason the client was told."""
        bodies = (frame.body for frame in self.heard if frame.label == "stop_reason")
        return next((str(body["stop_reason"]) for body in bodies if isinstance(body, dict)), None)
