"""Secrets found in bytes and masked in place, byte for byte.

Rules of this file: a mask is as long as what it covers, keeps the punctuation that gives a text its
form and no letter or digit; what is masked already stays as it is, so scrubbing twice is scrubbing
once; the values of the environment that look like keys are secrets wherever they stand.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from harness.cassettes.scrubbing.patterns import PATTERNS, Pattern, starts_word

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Each hint once, and where its patterns stand in the table: every text runs through this.
_HINTS = tuple(
    (hint, hint == hint.lower(), tuple(i for i, p in enumerate(PATTERNS) if hint in p.hints))
    for hint in dict.fromkeys(hint for pattern in PATTERNS for hint in pattern.hints)
)
MASK = ord("X")
_KEPT = frozenset(b"-_.@:/+=%&?~ \r\n\t")
_TABLE = bytes(byte if byte in _KEPT else MASK for byte in range(256))

# Variables that hold keys by their name; and values that can be nothing else.
_NAMES = re.compile(r"(?i)(?:^|_)(?:key|token|secret|password|passwd|credentials?|apikey)(?:_|$)")
_VALUE = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[A-Za-z0-9_+=.-]{24,}")
_TOLD = re.compile(rb"(?=.*[0-9])[A-Za-z0-9_+/=.-]{16,}")
_SHORTEST = 8  # characters; shorter values stand in innocent texts
_PATH = re.compile(r"[./~]|[A-Za-z]:\\")


class Found(NamedTuple):
    """One secret: its kind, and where it stands."""

    name: str
    start: int
    end: int


def masked(secret: bytes | bytearray) -> bytes:
    """Return the mask of a secret."""
    return bytes(secret).translate(_TABLE)


def mask(text: bytearray, start: int, end: int) -> bool:
    """Mask a stretch of a text; return whether it was not masked yet."""
    before = text[start:end]
    text[start:end] = masked(before)
    return text[start:end] != before


def secrets_of(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values of environment variables that look like keys.

    A value does so by its variable's name, unless it is the path of a file, or by itself: 24
    characters or more, with small and capital letters and digits among them.
    """
    return tuple(
        value
        for name, value in environment.items()
        if len(value) >= _SHORTEST
        and not value.isalpha()
        and ((_NAMES.search(name) and not _PATH.match(value)) or _VALUE.fullmatch(value))
    )


class Finder:
    """Finds every secret that a text holds.

    Args:
        secrets: exact texts that are secrets, besides those that look like one; None takes them
            from the environment of this process.
    """

    def __init__(self, secrets: tuple[str, ...] | None = None) -> None:
        known = secrets_of(os.environ) if secrets is None else secrets
        self._known = {word.encode() for word in known}
        self._exact = self._compiled()

    def learn(self, secret: bytes) -> None:
        """Take a secret that was told in a header for one wherever it stands from now on.

        Made-up keys (``not-needed``, ``lm-studio``) are words of innocent texts, so a secret is
        learned only if it can be nothing else.
        """
        if secret not in self._known and _TOLD.fullmatch(secret):
            self._known.add(secret)
            self._exact = self._compiled()

    def _compiled(self) -> Pattern | None:
        if not self._known:
            return None
        words = sorted(self._known, key=len, reverse=True)
        regex = re.compile(b"(?P<s>" + b"|".join(map(re.escape, words)) + b")")
        return Pattern("known secret", (), regex, starts_word=False, source="", example="")

    def suspects(self, text: bytes) -> tuple[Pattern, ...]:
        """Return what must be looked for in the parts of a text, by one look at all of it."""
        hinted = _hinted(text)
        if self._exact is not None and self._exact.regex.search(text):
            return (self._exact, *hinted)
        return tuple(hinted)

    def passes(self, text: bytes) -> bool:
        """Say whether nothing matches in a text, nor in any run of its words.

        No pattern looks past the end of a word to refuse what stands before it.
        """
        return not any(pattern.regex.search(text) for pattern in self.suspects(text))

    def find(self, text: bytes, suspects: tuple[Pattern, ...] | None = None) -> Iterator[Found]:
        """Yield what a text holds that is not masked yet.

        Args:
            text: the text.
            suspects: those of a text that this one is a part of; None looks for everything.
        """
        among = self.suspects(text) if suspects is None else suspects
        small = text.lower() if among else b""
        for pattern in among:
            if not pattern.hints or any(hint in small or hint in text for hint in pattern.hints):
                yield from _found(pattern, text)


def _hinted(text: bytes) -> list[Pattern]:
    """Return the patterns of which a hint stands in a text, in the order of the table."""
    small = text.lower()
    hinted = [places for hint, any_case, places in _HINTS if hint in (small if any_case else text)]
    return [PATTERNS[place] for place in sorted({place for places in hinted for place in places})]


def _found(pattern: Pattern, text: bytes) -> Iterator[Found]:
    for hit in pattern.regex.finditer(text):
        secret = hit["s"]
        if masked(secret) == secret:
            continue
        if not pattern.starts_word or starts_word(text, hit.start()):
            yield Found(pattern.name, *hit.span("s"))
