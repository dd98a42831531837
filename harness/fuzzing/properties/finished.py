"""Whether a stream says that it is over, by the tables alone: the oracle of the laws of endings."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.model import Event
    from harness.protocols.protocol import Protocol

# What says the end, although the tables have something to come.
# The SDKs read `[DONE]` themselves and hide it (catalogue TR-014); once a stop reason came, a
# message_stop says nothing more (AN-014).
_ENOUGH: Mapping[str, tuple[str, ...]] = {
    "openai_chat": ("finish[",),
    "anthropic_messages": ("message_delta", "message_start[whole]"),
    "gemini_generate": ("end",),
}


def is_finished(spoken: Protocol, events: Iterable[Event]) -> bool:
    """Say whether the provider's terminal came, an error included, whatever came after it.

    Args:
        spoken: the protocol.
        events: the stream, or the beginning of one.
    """
    position = spoken.grammar.position()
    enough = _ENOUGH.get(spoken.name, ())
    for event in events:
        for step in spoken.read(event):
            position.take(step)
            if not position.unfinished() or step.label.startswith(enough):
                return True
    return not position.unfinished()
