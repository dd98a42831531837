"""The sequence numbers of a Responses stream: which events are new, repeated or missing.

Cases OR-036 and TR-021 of the catalogue.
"""

from __future__ import annotations


class SequenceNumbers:
    """The numbers seen so far."""

    def __init__(self) -> None:
        self._first: int | None = None
        self._next: int | None = None
        self._gaps: list[range] = []

    def accept(self, number: object) -> bool:
        """Whether the event with this number is new; False where it was received before.

        An event without a number is always new, and so is every event of a server that gives all
        of them the same number.
        """
        if type(number) is not int:
            return True
        if number == self._next:
            self._next = number + 1
            return True
        if self._next is None or self._first is None:
            self._first, self._next = number, number + 1
        elif number > self._next:
            self._gaps.append(range(self._next, number))
            self._next = number + 1
        else:
            return self._fill_gap(number) or self._next == self._first + 1
        return True

    @property
    def missing(self) -> str:
        """The numbers that never arrived, for a message; empty where none is missing."""
        return ", ".join(
            str(gap.start) if len(gap) == 1 else f"{gap.start} to {gap.stop - 1}"
            for gap in self._gaps
        )

    def _fill_gap(self, number: int) -> bool:
        """Remove a number from its gap; False where no gap contains it."""
        for position, gap in enumerate(self._gaps):
            if number in gap:
                rest = (range(gap.start, number), range(number + 1, gap.stop))
                self._gaps[position : position + 1] = [part for part in rest if part]
                return True
        return False
