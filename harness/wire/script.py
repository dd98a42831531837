"""A scripted response, down to its bytes, its reads and its end."""

from __future__ import annotations

from itertools import chain, repeat
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from harness.errors import InputError
from harness.wire import cut_plans

if TYPE_CHECKING:
    from collections.abc import Iterator

ResponseEnd: TypeAlias = Literal["clean", "reset", "stall"]
Pace: TypeAlias = float | Literal["recorded"]
EVENT_STREAM = "text/event-stream"
RECORDED: Literal["recorded"] = "recorded"  # the plan, or the pace, of the recording


class Script(NamedTuple):
    """One scripted HTTP response.

    Args:
        frames: the bytes of each event, in order; together they are the body.
        status: the HTTP status.
        headers: response headers, without those of connection and framing.
        cut: the cut plan (see ``wire.cut_plans``).
        pace: seconds to wait before each read after the first, or ``recorded``: the recorded
            pauses, including the one before the first read.
        end: how the body ends: ``clean``, ``reset`` (the connection is lost after the last byte,
            before the body is complete) or ``stall`` (no more bytes, the connection stays open).
        recorded: each recorded read: its length in bytes, and the seconds before it.
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
        """Check that the cut plan and the pace can be applied.

        Raises:
            InputError: the plan is unknown, or it is ``recorded`` and the reads are unknown.
        """
        cut_plans.check(self.cut)
        if self.pace == RECORDED and self.cut != RECORDED:
            raise InputError("the pace `recorded` needs the cut plan `recorded`")
        if self.cut == RECORDED and self.body and not self.recorded:
            raise InputError("this recording has no read timing; choose another cut plan")

    def reads(self) -> Iterator[tuple[float, bytes]]:
        """Yield each read of the cut plan, and the seconds to wait before it."""
        reads = cut_plans.cut(self.frames, self.cut, tuple(length for length, _ in self.recorded))
        if self.pace == RECORDED:
            pauses = chain((seconds for _, seconds in self.recorded), repeat(0.0))
        else:
            pauses = chain((0.0,), repeat(self.pace))
        return zip(pauses, reads, strict=False)
