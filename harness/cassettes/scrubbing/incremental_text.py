"""A text that arrives in fragments, decided up to its last complete word.

Rules of this file: what may be the beginning of a secret stays undecided until its word ends; the
last decided bytes are kept as context, because a name before a secret identifies it; a very long
word is decided in parts, and a secret that continues past a part is masked to its end.
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

MAX_WORD = 4096  # bytes of a word after which its first part is decided
KEPT_BACK = 512  # bytes of such a word that stay undecided
CONTEXT = 256  # decided bytes kept as context
PRIVATE_KEY = "private key"

_ENDS = re.compile(rb"[" + BOUNDARY + rb"]")
_LAST_END = re.compile(rb".*[" + BOUNDARY + rb"]", re.DOTALL)


class Span(NamedTuple):
    """A part of the text that must be masked, by its offsets."""

    start: int
    end: int
    name: str


class Decided(NamedTuple):
    """The offset up to which the text is decided, and the secrets found since the last call."""

    upto: int
    secrets: list[Span]


class IncrementalText:
    """One text that arrives in fragments.

    Args:
        finder: finds secrets.
    """

    def __init__(self, finder: Finder) -> None:
        self._finder = finder
        self._context = b""
        self._undecided: list[bytes] = []
        self._size = 0  # undecided bytes
        self._decided = 0  # offset up to which the text is decided
        self._secret_end: re.Pattern[bytes] | None = None  # ends the secret that is continued
        self._secret_name = ""

    def feed(self, fragment: bytes) -> Decided:
        """Add a fragment and decide as much as possible."""
        self._undecided.append(fragment)
        self._size += len(fragment)
        last = _LAST_END.match(fragment)
        if last is not None:
            return self._decide(self._size - len(fragment) + last.end())
        if self._size > MAX_WORD:
            return self._decide(self._size - KEPT_BACK)
        return Decided(self._decided, [])

    def feed_clean(self, fragments: Sequence[bytes]) -> Decided | None:
        """Add fragments without secrets at once; return None if each must be fed instead.

        The result is the same as that of feeding each.
        """
        undecided = b"".join((*self._undecided, *fragments))
        text = self._context + undecided
        if (
            self._secret_end is not None
            or _has_long_word(undecided)
            or PRIVATE_KEY_BEGINS.search(text)
        ):
            return None
        if not self._finder.is_clean(text):
            return None
        last = _LAST_END.match(undecided)
        self._advance(text, undecided, 0 if last is None else last.end())
        return Decided(self._decided, [])

    def close(self) -> Decided:
        """Decide the remaining bytes at the end of the text."""
        return self._decide(self._size)

    def _decide(self, size: int) -> Decided:
        """Decide the first undecided bytes."""
        undecided = b"".join(self._undecided)
        text = self._context + undecided
        first, offset = len(self._context), self._decided - len(self._context)
        upto = first + size
        spans = list(self._spans(text, first, upto))
        self._advance(text, undecided, size)
        return Decided(self._decided, [Span(a + offset, b + offset, name) for a, b, name in spans])

    def _advance(self, text: bytes, undecided: bytes, size: int) -> None:
        """Mark the first undecided bytes as decided and keep the context."""
        upto = len(text) - len(undecided) + size
        self._undecided, self._size = [undecided[size:]], len(undecided) - size
        self._context = text[max(0, upto - CONTEXT) : upto]
        self._decided += size

    def _spans(self, text: bytes, first: int, upto: int) -> Iterator[tuple[int, int, str]]:
        """Yield the secrets between two offsets of a text whose beginning is decided."""
        if self._secret_end is not None:
            end = self._secret_end.search(text, first, upto)
            yield first, upto if end is None else end.start(), self._secret_name
            if end is None:
                return
            self._secret_end, first = None, end.start()
        for found in self._finder.find(text):
            if max(found.start, first) < min(found.end, upto):
                yield max(found.start, first), min(found.end, upto), found.name
                if found.end > upto:
                    self._secret_end, self._secret_name = _ENDS, found.name
        yield from self._private_keys(text, first, upto)

    def _private_keys(self, text: bytes, first: int, upto: int) -> Iterator[tuple[int, int, str]]:
        """Yield the bodies of private keys, the only secrets of several words."""
        for begin in PRIVATE_KEY_BEGINS.finditer(text, 0, upto):
            if begin.end() > first:
                end = PRIVATE_KEY_ENDS.search(text, begin.end(), upto)
                yield begin.end(), upto if end is None else end.start(), PRIVATE_KEY
                if end is None:
                    self._secret_end, self._secret_name = PRIVATE_KEY_ENDS, PRIVATE_KEY


def _has_long_word(text: bytes) -> bool:
    return len(text) > MAX_WORD and max(map(len, _ENDS.split(text))) > MAX_WORD
