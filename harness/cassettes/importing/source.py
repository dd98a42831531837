"""One file somebody else wrote: read once, never believed.

Rule of this file: what is wrong with a file is an InputError that names it, its line and the cure.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from harness.errors import InputError
from harness.model import repair_surrogates

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.model import JSON

LIMIT = 256 * 1024 * 1024  # bytes of one file
_STATUSES = range(100, 600)  # RFC 9110, 15


@dataclass(frozen=True)
class Source:
    """A file to import.

    Args:
        path: where it is.
        name: what its cassette is to be called, a path without a suffix.
        protocol: what the user says is spoken in recordings that do not tell.
    """

    path: Path
    name: str
    protocol: str | None = None

    @cached_property
    def body(self) -> bytes:
        """All its bytes.

        Raises:
            InputError: it cannot be read, is too large, or empty.
        """
        try:
            if self.path.stat().st_size > LIMIT:
                raise self.refusal(f"over {LIMIT:,} bytes; split it")
            body = self.path.read_bytes()
        except OSError as error:
            raise self.refusal(f"cannot be read ({error.strerror})") from None
        if not body.strip():
            raise self.refusal("the file is empty")
        return body

    @cached_property
    def document(self) -> JSON:
        """The JSON value it holds.

        Raises:
            InputError: it holds none.
        """
        return self.json(self.body)

    def json(self, text: bytes, line: int = 1) -> JSON:
        """Return the JSON value of a part of the file that begins in a line.

        Raises:
            InputError: it is none.
        """
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            words = f"no valid JSON ({error.msg}); was the file cut?"
            raise self.refusal(words, line + error.lineno - 1) from None
        except UnicodeDecodeError:
            raise self.refusal("no UTF-8 text", line) from None
        except (ValueError, RecursionError):
            raise self.refusal("JSON that nests too deeply, or holds too long a number") from None

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield each line that holds anything, and its number from 1."""
        for number, line in enumerate(self.body.splitlines(), 1):
            if line.strip():
                yield number, line

    def refusal(self, words: str, line: int | None = None) -> InputError:
        """Return the error that says why the file is not taken."""
        return InputError(words, path=self.path, line=line)


def keys(value: object) -> frozenset[str]:
    """Return the keys of a mapping, none of anything else."""
    return frozenset(value) if isinstance(value, dict) else frozenset()


def mapping(value: object) -> dict[str, Any]:
    """Return a mapping, an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    """Return a list, an empty one for anything else."""
    return value if isinstance(value, list) else []


def text(value: object) -> str:
    """Return a text, the empty one for anything else; half a character becomes U+FFFD."""
    return repair_surrogates(value) if isinstance(value, str) else ""


def status(value: object) -> int | None:
    """Return an HTTP status, None for anything else."""
    return int(value) if type(value) is int and value in _STATUSES else None
