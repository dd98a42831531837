"""What was observed of one run through the full stack, aborted or not.

Rule of this file: everything is noted in the same step in which the client learns that the run is
over; no task gets additional time to clean up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from harness.model import Chunk, Outcome
    from harness.streaming.serving.client_events import ClientEvent
    from harness.streaming.serving.runs.store import Run


@dataclass(frozen=True)
class Step:
    """One step of the agent.

    Args:
        chunks: the chunks it passed on.
        outcome: what the adapter kept of it, None where there is nothing yet.
        open: its response is open, and more of it was to come.
    """

    chunks: tuple[Chunk, ...]
    outcome: Outcome | None
    open: bool


@dataclass(frozen=True)
class RunSeen:
    """What was observed of one run.

    Args:
        events: what its client received, also after it disconnected.
        sent_at: the bytes the provider had sent when each of the events came.
        before: how many events the client had received at the abort.
        aborted: the client disconnected, or its run was cancelled, before it received the end.
        disconnected: the client itself disconnected; after a mere cancellation it reads to the end.
        sent: the bytes the provider had sent at the abort, or in the end where there was none.
        at_s: when the abort happened, in virtual seconds.
        held_s: virtual seconds the client was held after the abort, None where it is held for ever.
        suppressed: what the client got in place of the exception that had to propagate, or None.
        stored: the run as it is stored.
        steps: the steps the agent began.
        locked: the conversation is still locked.
        registered: how many runs the cancellation registry still holds.
        leaks: the tasks and generators that still exist.
        warnings: what was logged as a warning or worse, or given to asyncio's exception handler.
    """

    events: tuple[ClientEvent, ...]
    sent_at: tuple[int, ...]
    before: int
    aborted: bool
    disconnected: bool
    sent: int
    at_s: float
    held_s: float | None
    suppressed: str | None
    stored: Run | None
    steps: tuple[Step, ...]
    locked: bool
    registered: int
    leaks: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    @property
    def stop_reason(self) -> str | None:
        """The stop reason the client received."""
        bodies = (event.body for event in self.events if event.label == "stop_reason")
        return next((str(body["stop_reason"]) for body in bodies if isinstance(body, dict)), None)


class RunPair(NamedTuple):
    """A run, and the same run when nothing disturbed it; what invariants of a run compare."""

    seen: RunSeen
    undisturbed: RunSeen
