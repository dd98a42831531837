"""A text that arrives in fragments, decided up to its last whole word.

Rules of this file: whatever may still be the beginning of a secret waits until its word ends; what
was decided is remembered a little, because a name before a secret tells what it is; a word without
end is decided piece by piece, and a secret that runs on at such a place is masked to its end.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from harness.cassettes.scrubbing.patterns import (
    BOUNDARY,
    PRIVATE_KEY_BEGINS,
    PRIVATE_KEY_ENDS,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.cassettes.scrubbing.masking import Finder

WORD = 4096  # bytes a word may have before its first part is decided
LATE = 512  # bytes of it that stay undecided then
CONTEXT = 256  # bytes remembered of what was decided
PRIVATE_KEY = "private key"

_ENDS = re.compile(rb"[" + BOUNDARY + rb"]")
_LAST_END = re.compile(rb".*[" + BOUNDARY + rb"]", re.DOTALL)


class Span(NamedTuple):
    """A stretch of the whole text, by its offsets, that must be masked."""

    start: int
    end: int
    name: str


class Decided(NamedTuple):
    """What a fragment decided: the text up to an offset, and what of it is secret."""

    upto: int
    secrets: list[Span]


class Tail:
    """One text, however many fragments it comes in.

    Args:
        finder: finds secrets.
    """

    def __init__(self, finder: Finder) -> None:
        self._finder = finder
        self._context = b""
        self._waiting: list[bytes] = []
        self._size = 0  # bytes waiting
        self._decided = 0  # offset up to which everything is decided
        self._until: re.Pattern[bytes] | None = None  # inside a secret that ends here
        self._inside = ""

    def feed(self, fragment: bytes) -> Decided:
        """Take a fragment and decide what can be."""
        self._waiting.append(fragment)
        self._size += len(fragment)
        last = _LAST_END.match(fragment)
        if last is not None:
            return self._decide(self._size - len(fragment) + last.end())
        if self._size > WORD:
            return self._decide(self._size - LATE)
        return Decided(self._decided, [])

    def pass_over(self, fragments: Sequence[bytes]) -> Decided | None:
        """Take fragments that hold nothing to find, at once; None says that each must be fed.

        What this decides, and that nothing of it is secret, is what feeding each would say.
        """
        told = b"".join((*self._waiting, *fragments))
        text = self._context + told
        if self._until is not None or _has_long_word(told) or PRIVATE_KEY_BEGINS.search(text):
            return None
        if not self._finder.passes(text):
            return None
        last = _LAST_END.match(told)
        self._go_on(text, told, 0 if last is None else last.end())
        return Decided(self._decided, [])

    def close(self) -> Decided:
        """Decide the rest: nothing more will come."""
        return self._decide(self._size)

    def _decide(self, size: int) -> Decided:
        """Decide the first bytes of what waits."""
        waiting = b"".join(self._waiting)
        text = self._context + waiting
        first, offset = len(self._context), self._decided - len(self._context)
        upto = first + size
        spans = list(self._spans(text, first, upto))
        self._go_on(text, waiting, size)
        return Decided(self._decided, [Span(a + offset, b + offset, name) for a, b, name in spans])

    def _go_on(self, text: bytes, waiting: bytes, size: int) -> None:
        """Remember that the first bytes of what waits, behind the context, are decided."""
        upto = len(text) - len(waiting) + size
        self._waiting, self._size = [waiting[size:]], len(waiting) - size
        self._context = text[max(0, upto - CONTEXT) : upto]
        self._decided += size

    def _spans(self, text: bytes, first: int, upto: int) -> Iterator[tuple[int, int, str]]:
        """Yield what is secret between two places of a text whose beginning is decided."""
        if self._until is not None:
            end = self._until.search(text, first, upto)
            yield first, upto if end is None else end.start(), self._inside
            if end is None:
                return
            self._until, first = None, end.start()
        for found in self._finder.find(text):
            if max(found.start, first) < min(found.end, upto):
                yield max(found.start, first), min(found.end, upto), found.name
                if found.end > upto:
                    self._until, self._inside = _ENDS, found.name
        yield from self._private_keys(text, first, upto)

    def _private_keys(self, text: bytes, first: int, upto: int) -> Iterator[tuple[int, int, str]]:
        """Yield the lines of private keys, the only secrets of several words."""
        for begun in PRIVATE_KEY_BEGINS.finditer(text, 0, upto):
            if begun.end() > first:
                end = PRIVATE_KEY_ENDS.search(text, begun.end(), upto)
                yield begun.end(), upto if end is None else end.start(), PRIVATE_KEY
                if end is None:
                    self._until, self._inside = PRIVATE_KEY_ENDS, PRIVATE_KEY


def _has_long_word(text: bytes) -> bool:
    return len(text) > WORD and max(map(len, _ENDS.split(text))) > WORD
