"""One response of a model, independent of any protocol: the input of every ``encode``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from harness.model import Ending, ErrorInfo, Event, FinishReason, Part, Usage


@dataclass(frozen=True, slots=True)
class Message:
    """One response, independent of any protocol.

    Args:
        content: the parts, in order; parallel tool calls are neighbours.
        finish: why it ends; each protocol has its own word for it.
        ending: ``truncated`` has no terminal event, ``failed`` ends with ``error``.
        usage: the final counts, or None where the stream reports none.
        error: the in-stream error of a ``failed`` message.
        response_id: the provider's id.
        model: the model's name.
    """

    content: tuple[Part, ...] = ()
    finish: FinishReason = "stop"
    ending: Ending = "complete"
    usage: Usage | None = None
    error: ErrorInfo | None = None
    response_id: str = "resp_1"
    model: str = "test-model"


def _before_blanks(text: str) -> list[str]:
    """Split before each blank: the pieces join to the text, none is empty."""
    pieces: list[str] = []
    for piece in text.split(" "):
        pieces.append(piece if not pieces else f" {piece}")
    return [piece for piece in pieces if piece]


def _first(_: int) -> int:
    return 0


@dataclass(frozen=True, slots=True)
class DeltaPlan:
    """What a protocol leaves open: how texts are split into deltas, and how calls are interleaved.

    Args:
        split: text -> its fragments, in order; they must join to the text.
        pick: number of calls that could send next -> which of them does (0 is the earliest opened).
    """

    split: Callable[[str], Sequence[str]] = _before_blanks
    pick: Callable[[int], int] = _first


IN_ORDER = DeltaPlan()


def interleave(sequences: Iterable[Iterable[Event]], plan: DeltaPlan) -> Iterator[Event]:
    """Merge sequences of events, keeping the order of each, as ``plan.pick`` decides."""
    waiting = [iter(sequence) for sequence in sequences]
    while waiting:
        at = plan.pick(len(waiting))
        event = next(waiting[at], None)
        if event is None:
            del waiting[at]
        else:
            yield event
