"""What a provider will speak: one response, down to its bytes, its reads and its end."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

ResponseEnd: TypeAlias = Literal["clean", "reset", "stall"]
EVENT_STREAM = "text/event-stream"


class Script(NamedTuple):
    """One HTTP response to be spoken.

    Args:
        frames: the bytes of each event, in order; together they are the body.
        status: the HTTP status.
        headers: response headers besides those of the transfer itself.
        cut: the cut plan, a word of ``wire.cutting``.
        pace: seconds to wait before each read after the first.
        end: how the body ends: ``clean``, ``reset`` (the connection is lost after the last byte,
            before the body is complete) or ``stall`` (silence, the connection stays open).
    """

    frames: tuple[bytes, ...]
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("content-type", EVENT_STREAM),)
    cut: str = "event"
    pace: float = 0.0
    end: ResponseEnd = "clean"

    @property
    def body(self) -> bytes:
        """All bytes of the response body."""
        return b"".join(self.frames)
