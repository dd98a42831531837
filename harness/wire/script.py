"""What a provider will speak: one response, down to its bytes, its reads and its end."""

from __future__ import annotations

from itertools import chain, repeat
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from harness.errors import InputError
from harness.wire import cutting

if TYPE_CHECKING:
    from collections.abc import Iterator

ResponseEnd: TypeAlias = Literal["clean", "reset", "stall"]
Pace: TypeAlias = float | Literal["recorded"]
EVENT_STREAM = "text/event-stream"
RECORDED: Literal["recorded"] = "recorded"  # the plan, and the pace, of whoever was recorded


class Script(NamedTuple):
    """One HTTP response to be spoken.

    Args:
        frames: the bytes of each event, in order; together they are the body.
        status: the HTTP status.
        headers: response headers besides those of the transfer itself.
        cut: the cut plan, a word of ``wire.cutting``.
        pace: seconds to wait before each read after the first, or ``recorded``: those that the
            recorder counted, before the first one too.
        end: how the body ends: ``clean``, ``reset`` (the connection is lost after the last byte,
            before the body is complete) or ``stall`` (silence, the connection stays open).
        recorded: each read that a recorder saw: its length in bytes, and the seconds before it.
    """

    frames: tuple[bytes, ...]
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("content-type", EVENT_STREAM),)
    cut: str = "event"
    pace: Pace = 0.0
    end: ResponseEnd = "clean"
    recorded: tuple[tuple[int, float], ...] = ()

    @property
    def body(self) -> bytes:
        """All bytes of the response body."""
        return b"".join(self.frames)

    def check(self) -> None:
        """Refuse a plan that cannot be followed.

        Raises:
            InputError: there is no such plan, or it is ``recorded`` and nobody kept the reads.
        """
        cutting.check(self.cut)
        if self.pace == RECORDED and self.cut != RECORDED:
            raise InputError("the pace `recorded` belongs to the cut plan `recorded`")
        if self.cut == RECORDED and self.body and not self.recorded:
            raise InputError("nobody kept the reads of these bytes; choose another cut plan")

    def reads(self) -> Iterator[tuple[float, bytes]]:
        """Yield each read of the cut plan, and the seconds to wait before it."""
        reads = cutting.cut(self.frames, self.cut, tuple(length for length, _ in self.recorded))
        if self.pace == RECORDED:
            pauses = chain((seconds for _, seconds in self.recorded), repeat(0.0))
        else:
            pauses = chain((0.0,), repeat(self.pace))
        return zip(pauses, reads, strict=False)
