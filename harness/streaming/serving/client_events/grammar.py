"""The legal order of a run's frames, as a table.

Messages, then exactly one stop reason, then the usage and an error at most once each and in this
order, then exactly one ``[DONE]``, and after it not a byte, not even a ping.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.protocols.grammar import Grammar, Machine, Step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.protocols.grammar import Violation
    from harness.streaming.serving.client_events.event import ClientEvent

RUN = Machine(
    "run",
    {
        "running": {"message": "running", "ping": "running", "stop_reason": "stopped"},
        "stopped": {"ping": "stopped", "usage": "counted", "error": "failed", "done": "ended"},
        "counted": {"ping": "counted", "error": "failed", "done": "ended"},
        "failed": {"ping": "failed", "done": "ended"},
        "ended": {},
    },
)
CLIENT_EVENTS = Grammar((RUN,))


def client_event_violations(frames: Iterable[ClientEvent]) -> list[Violation]:
    """Judge all frames a client was sent; never raises."""
    return CLIENT_EVENTS.violations((Step(frame.label),) for frame in frames)
