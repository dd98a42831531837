"""What a law is held against: one stream, and all that is known of it."""

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
    """One stream, drawn.

    Args:
        protocol_name: the wire language.
        message: what is said, or None where the stream is a walk through the tables.
        thread: the tape that wove the message into events.
        dice: the tape by which a law varies the stream.
        walked: the events of a walk.
    """

    protocol_name: str
    message: Message | None = None
    thread: bytes = b""
    dice: bytes = b""
    walked: tuple[Event, ...] = field(default=())

    @property
    def protocol(self) -> Protocol:
        """The protocol's tables."""
        return protocol(self.protocol_name)

    @cached_property
    def said(self) -> Message | None:
        """As much of the message as this wire can say."""
        return None if self.message is None else expressible(self.protocol_name, self.message)

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """The legal stream."""
        if self.said is None:
            return self.walked
        return tuple(self.protocol.encode(self.said, delta_plan(self.thread)))

    @cached_property
    def script(self) -> Script:
        """The stream as a response."""
        return self.spoken(self.events)

    @cached_property
    def _frames(self) -> dict[int, bytes]:
        """The bytes of each event; a variation sends most of them again."""
        return {id(event): self.protocol.frame(event) for event in self.events}

    def spoken(self, items: tuple[Event | bytes, ...]) -> Script:
        """Return the response that speaks these events, or bytes that are no event."""
        known, frame = self._frames, self.protocol.frame
        return Script(
            tuple(
                item if isinstance(item, bytes) else known.get(id(item)) or frame(item)
                for item in items
            )
        )

    @property
    def key(self) -> tuple[bytes, bytes]:
        """What tells it from other cases of its protocol."""
        return self.script.body, self.dice

    def __repr__(self) -> str:
        lines = (f"  {event.name or 'data'}: {data_text(event)}" for event in self.events)
        return "\n".join((f"{self.protocol_name}, dice {self.dice.hex() or 'none'}", *lines))
