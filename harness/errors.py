"""The error tree: who is at fault is in the type.

::

    HarnessError
    ├── InputError               a file or an argument is at fault: names it and the cure (exit 2)
    │   └── UnknownWordError     a word nobody knows; proposes the nearest known one
    ├── WireError                bytes that cannot be read as frames
    │   └── FrameTooLargeError   an event grew over the limit
    ├── TargetError              the target under test raised, hung or talked nonsense
    └── StreamError              a stream went wrong; carries the ErrorInfo of the outcome
        └── ProtocolError        an event contradicts what was opened before it

Rule of this file: an error's text is one line that a person can act on.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from harness.model import ErrorInfo


class HarnessError(Exception):
    """Base of every error this project raises on purpose."""


class InputError(HarnessError):
    """A file or an argument is at fault.

    Args:
        message: what is wrong and how to cure it, one line.
        path: the file, where there is one.
        line: its line, counted from 1.
    """

    def __init__(self, message: str, *, path: Path | str | None = None, line: int | None = None):
        place = "" if path is None else f"{path}:{line}: " if line else f"{path}: "
        super().__init__(f"{place}{message}")
        self.message, self.path, self.line = message, path, line

    def at(self, path: Path | str, line: int | None = None) -> InputError:
        """Return the same error, placed in a file."""
        return InputError(self.message, path=path, line=line)


class UnknownWordError(InputError):
    """A word nobody knows.

    Args:
        what: what kind of word was expected, e.g. "protocol".
        word: the word that was found.
        known: every word that would have been right.
    """

    def __init__(self, what: str, word: str, known: Iterable[str]):
        names = sorted(known)
        near = get_close_matches(word, names, n=1, cutoff=0.5)
        cure = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}"
        super().__init__(f"unknown {what} {word!r}; {cure}")


class WireError(HarnessError):
    """Bytes that cannot be read as frames."""


class FrameTooLargeError(WireError):
    """An event grew over the reader's limit.

    Args:
        size: bytes seen so far of that event.
        limit: the limit in bytes.
    """

    def __init__(self, size: int, limit: int):
        super().__init__(
            f"one event holds {size:,} bytes or more; the limit is {limit:,} (raise it with limit=)"
        )
        self.size, self.limit = size, limit


class TargetError(HarnessError):
    """The target under test raised, hung or talked nonsense: a finding, never our crash."""


class StreamError(HarnessError):
    """A stream went wrong.

    Args:
        info: what the outcome says about it.
    """

    def __init__(self, info: ErrorInfo):
        super().__init__(f"{info.kind}: {info.message}")
        self.info = info


class ProtocolError(StreamError):
    """An event contradicts what was opened before it, so going on would invent content."""
