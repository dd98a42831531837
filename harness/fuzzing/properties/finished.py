"""Whether a stream says that it is over, by the tables alone: the oracle of the laws of endings."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.model import Event
    from harness.protocols.protocol import Protocol


def is_finished(spoken: Protocol, events: Iterable[Event]) -> bool:
    """Say whether the provider's terminal came, an error included, whatever came after it.

    Args:
        spoken: the protocol.
        events: the stream, or the beginning of one.
    """
    position = spoken.grammar.position()
    enough = spoken.oracle.finished_by
    for event in events:
        for step in spoken.read(event):
            position.take(step)
            if not position.unfinished() or step.label.startswith(enough):
                return True
    return not position.unfinished()
