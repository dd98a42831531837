"""Decisions read off one drawn value.

Drawing costs more than a decision is worth: a stream of twenty events has fifty. So one byte string
is drawn and read like a tape. Past its end every decision is the first one, and each decision lists
the simplest choice first: the shorter and smaller the tape, the simpler the stream.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from harness.protocols.message import DeltaPlan

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")
PIECE = 6  # letters of one piece of a text that is split, at most


class ByteSource:
    """One reading of a byte string.

    Args:
        data: the bytes, one a decision.
    """

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def next(self) -> int:
        """Return the next byte, 0 past the end."""
        at = self._at
        if at >= len(self._data):
            return 0
        self._at = at + 1
        return self._data[at]

    def below(self, limit: int) -> int:
        """Return a number from 0 to ``limit - 1``; two bytes where one would not reach."""
        number = self.next()
        if limit > 256:  # noqa: PLR2004 - what one byte can say
            number = number * 256 + self.next()
        return number % limit

    def choose(self, choices: Sequence[T]) -> T:
        """Return one of some choices, the first past the end."""
        return choices[self.below(len(choices))]

    def pieces(self, text: str) -> list[str]:
        """Split a text anywhere; past the end the rest stays whole."""
        found: list[str] = []
        start = 0
        while start < len(text):
            byte = self.next()
            size = 1 + byte % PIECE if byte else len(text)
            found.append(text[start : start + size])
            start += size
        return found


def delta_plan(data: bytes) -> DeltaPlan:
    """Return the weave a tape decides: in order, and each text in one piece, if it is empty."""
    tape = ByteSource(data)
    return DeltaPlan(split=tape.pieces, pick=tape.below)
