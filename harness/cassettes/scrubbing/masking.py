"""Secrets found in bytes and masked in place, byte for byte.

Rules of this file: a mask is as long as the secret, keeps its punctuation and no letter or digit;
masking is idempotent; values of the environment that look like keys are secrets everywhere.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from harness.cassettes.scrubbing.patterns import PATTERNS, Pattern, starts_word

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Each hint once, with the indices of its patterns: every text is searched for all hints.
_HINTS = tuple(
    (hint, hint == hint.lower(), tuple(i for i, p in enumerate(PATTERNS) if hint in p.hints))
    for hint in dict.fromkeys(hint for pattern in PATTERNS for hint in pattern.hints)
)
MASK = ord("X")
_PUNCTUATION = frozenset(b"-_.@:/+=%&?~ \r\n\t")
_TABLE = bytes(byte if byte in _PUNCTUATION else MASK for byte in range(256))

# Names of variables that hold keys, and values that can only be keys.
_NAMES = re.compile(r"(?i)(?:^|_)(?:key|token|secret|password|passwd|credentials?|apikey)(?:_|$)")
_VALUE = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[A-Za-z0-9_+=.-]{24,}")
_LEARNABLE = re.compile(rb"(?=.*[0-9])[A-Za-z0-9_+/=.-]{16,}")
_MIN_LENGTH = 8  # characters; shorter values occur in ordinary texts
_PATH = re.compile(r"[./~]|[A-Za-z]:\\")


class Found(NamedTuple):
    """One secret: its kind and its position."""

    name: str
    start: int
    end: int


def masked(secret: bytes | bytearray) -> bytes:
    """Return the mask of a secret."""
    return bytes(secret).translate(_TABLE)


def mask(text: bytearray, start: int, end: int) -> bool:
    """Mask a part of a text; return whether that changed it."""
    before = text[start:end]
    text[start:end] = masked(before)
    return text[start:end] != before


def secrets_of(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values of environment variables that look like keys.

    A value looks like a key if its variable's name does and it is not a file path, or by itself: 24
    characters or more, among them lower-case and upper-case letters and digits.
    """
    return tuple(
        value
        for name, value in environment.items()
        if len(value) >= _MIN_LENGTH
        and not value.isalpha()
        and ((_NAMES.search(name) and not _PATH.match(value)) or _VALUE.fullmatch(value))
    )


class Finder:
    """Finds the secrets of a text.

    Args:
        secrets: exact texts that are secrets, besides those that match a pattern; None takes them
            from the environment of this process.
    """

    def __init__(self, secrets: tuple[str, ...] | None = None) -> None:
        known = secrets_of(os.environ) if secrets is None else secrets
        self._known = {secret.encode() for secret in known}
        self._exact = self._compiled()

    def learn(self, secret: bytes) -> None:
        """Treat the value of a header as a secret everywhere from now on.

        Placeholder keys (``not-needed``, ``lm-studio``) occur in ordinary texts, so a value is
        learned only if it cannot be anything but a key.
        """
        if secret not in self._known and _LEARNABLE.fullmatch(secret):
            self._known.add(secret)
            self._exact = self._compiled()

    def _compiled(self) -> Pattern | None:
        if not self._known:
            return None
        longest_first = sorted(self._known, key=len, reverse=True)
        regex = re.compile(b"(?P<s>" + b"|".join(map(re.escape, longest_first)) + b")")
        return Pattern("known secret", (), regex, starts_word=False, source="", example="")

    def candidates(self, text: bytes) -> tuple[Pattern, ...]:
        """Return the patterns that may match in a text or in any part of it."""
        with_hint = _with_hint(text)
        if self._exact is not None and self._exact.regex.search(text):
            return (self._exact, *with_hint)
        return tuple(with_hint)

    def is_clean(self, text: bytes) -> bool:
        """Return whether nothing matches in a text, nor in any sequence of its words.

        No pattern refuses a secret because of what follows its word.
        """
        return not any(pattern.regex.search(text) for pattern in self.candidates(text))

    def find(self, text: bytes, candidates: tuple[Pattern, ...] | None = None) -> Iterator[Found]:
        """Yield the secrets of a text that are not masked.

        Args:
            text: the text.
            candidates: the candidates of a text that contains this one; None finds them.
        """
        patterns = self.candidates(text) if candidates is None else candidates
        lowered = text.lower() if patterns else b""
        for pattern in patterns:
            if not pattern.hints or any(hint in lowered or hint in text for hint in pattern.hints):
                yield from _matches(pattern, text)


def _with_hint(text: bytes) -> list[Pattern]:
    """Return the patterns that have a hint in a text, in the order of the table."""
    lowered = text.lower()
    with_hint = [
        indices for hint, any_case, indices in _HINTS if hint in (lowered if any_case else text)
    ]
    return [
        PATTERNS[index] for index in sorted({index for indices in with_hint for index in indices})
    ]


def _matches(pattern: Pattern, text: bytes) -> Iterator[Found]:
    for match in pattern.regex.finditer(text):
        secret = match["s"]
        if masked(secret) == secret:
            continue
        if not pattern.starts_word or starts_word(text, match.start()):
            yield Found(pattern.name, *match.span("s"))
