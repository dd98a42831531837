"""Choices read from one drawn byte string.

A stream of twenty events needs some fifty choices, and drawing each of them costs more than it is
worth. So one byte string is drawn and read from its start. Past its end every choice is the first
one, and each choice lists the simplest option first: the shorter and smaller the byte string, the
simpler the stream.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from harness.protocols.message import DeltaPlan

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")
LONGEST_PIECE = 6  # characters of one piece of a text that is split, at most


class ByteSource:
    """One reading of a byte string.

    Args:
        data: the bytes, one per choice.
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
        """Return a number from 0 to ``limit - 1``; it takes two bytes where one is not enough."""
        number = self.next()
        if limit > 256:  # noqa: PLR2004 - the values of one byte
            number = number * 256 + self.next()
        return number % limit

    def choose(self, options: Sequence[T]) -> T:
        """Return one of some options, the first one past the end."""
        return options[self.below(len(options))]

    def pieces(self, text: str) -> list[str]:
        """Split a text anywhere; past the end the rest stays in one piece."""
        pieces: list[str] = []
        start = 0
        while start < len(text):
            byte = self.next()
            size = 1 + byte % LONGEST_PIECE if byte else len(text)
            pieces.append(text[start : start + size])
            start += size
        return pieces


def delta_plan(data: bytes) -> DeltaPlan:
    """Return the delta plan that a byte string decides; the empty one splits and overlaps nothing.

    Args:
        data: the choice bytes.
    """
    source = ByteSource(data)
    return DeltaPlan(split=source.pieces, pick=source.below)
