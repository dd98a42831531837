"""What a model says, before it becomes events: the input of every protocol's ``encode``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from harness.model import Ending, ErrorInfo, Event, FinishReason, Part, Usage


@dataclass(frozen=True, slots=True)
class Message:
    """One response, free of any protocol.

    Args:
        content: the parts, in order; parallel tool calls are neighbours.
        finish: why it ends; each protocol writes its own word for it.
        ending: ``truncated`` leaves the terminal out, ``failed`` ends with ``error``.
        usage: the final counts, or None where the provider is to report none.
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


def _by_words(text: str) -> list[str]:
    """Split before each blank: the pieces join to the text, none is empty."""
    pieces: list[str] = []
    for piece in text.split(" "):
        pieces.append(piece if not pieces else f" {piece}")
    return [piece for piece in pieces if piece]


def _first(_: int) -> int:
    return 0


@dataclass(frozen=True, slots=True)
class DeltaPlan:
    """The freedom a protocol leaves: how texts fall into deltas, and which lane goes next.

    Args:
        split: text -> its fragments, in order; they must join to the text.
        pick: number of lanes that could go on -> which of them does (0 is the earliest opened).
    """

    split: Callable[[str], Sequence[str]] = _by_words
    pick: Callable[[int], int] = _first


IN_ORDER = DeltaPlan()


def interleave(lanes: Iterable[Iterable[Event]], weave: DeltaPlan) -> Iterator[Event]:
    """Merge lanes of events, keeping each lane's order, as ``weave.pick`` says."""
    waiting = [iter(lane) for lane in lanes]
    while waiting:
        at = weave.pick(len(waiting))
        event = next(waiting[at], None)
        if event is None:
            del waiting[at]
        else:
            yield event
