"""A case: one generated stream, and what is known about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from harness.generation.byte_source import delta_plan
from harness.generation.capabilities import expressible
from harness.protocols import protocol
from harness.protocols.events import data_text
from harness.wire.script import Script

if TYPE_CHECKING:
    from harness.model import Event
    from harness.protocols.message import Message
    from harness.protocols.protocol import Protocol


@dataclass(frozen=True)
class Case:
    """One generated stream.

    Args:
        protocol_name: the stream's protocol.
        message: the message that the stream carries, or None if it is a walk through the tables.
        delta_choices: the choice bytes that split and interleave the message's deltas.
        choices: the choice bytes by which a property varies the stream.
        walked: the events of a walk.
    """

    protocol_name: str
    message: Message | None = None
    delta_choices: bytes = b""
    choices: bytes = b""
    walked: tuple[Event, ...] = field(default=())

    @property
    def protocol(self) -> Protocol:
        """The protocol's tables."""
        return protocol(self.protocol_name)

    @cached_property
    def expressed(self) -> Message | None:
        """As much of the message as the protocol can express."""
        return None if self.message is None else expressible(self.protocol_name, self.message)

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """The legal stream."""
        if self.expressed is None:
            return self.walked
        return tuple(self.protocol.encode(self.expressed, delta_plan(self.delta_choices)))

    @cached_property
    def script(self) -> Script:
        """The legal stream as a response."""
        return self.script_of(self.events)

    @cached_property
    def _frames(self) -> dict[int, bytes]:
        """The frame of each event, by its identity: a variation sends most of them again."""
        return {id(event): self.protocol.frame(event) for event in self.events}

    def script_of(self, items: tuple[Event | bytes, ...]) -> Script:
        """Return the response that sends these items.

        Args:
            items: events, and bytes that are not an event.
        """
        known, frame = self._frames, self.protocol.frame
        return Script(
            tuple(
                item if isinstance(item, bytes) else known.get(id(item)) or frame(item)
                for item in items
            )
        )

    @property
    def key(self) -> tuple[bytes, bytes]:
        """What distinguishes it from other cases of its protocol."""
        return self.script.body, self.choices

    def __repr__(self) -> str:
        lines = (f"  {event.name or 'data'}: {data_text(event)}" for event in self.events)
        return "\n".join((f"{self.protocol_name}, choices {self.choices.hex() or 'none'}", *lines))
