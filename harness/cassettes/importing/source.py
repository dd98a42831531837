"""One file of another tool: read once, within limits, with every value checked.

Rule of this file: every error is an InputError that names the file, the line and the cure.
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
        path: the file.
        name: the name of the cassette to make, a path without suffix.
        protocol: the protocol to use if it cannot be detected, None if not given.
    """

    path: Path
    name: str
    protocol: str | None = None

    @cached_property
    def body(self) -> bytes:
        """The content of the file.

        Raises:
            InputError: it cannot be read, is too large, or empty.
        """
        try:
            if self.path.stat().st_size > LIMIT:
                raise self.error(f"larger than {LIMIT:,} bytes; split it")
            body = self.path.read_bytes()
        except OSError as error:
            raise self.error(f"cannot be read ({error.strerror})") from None
        if not body.strip():
            raise self.error("the file is empty")
        return body

    @cached_property
    def document(self) -> JSON:
        """The content as JSON.

        Raises:
            InputError: it is not valid JSON.
        """
        return self.json(self.body)

    def json(self, text: bytes, line: int = 1) -> JSON:
        """Return the JSON value of a part of the file.

        Args:
            text: the part.
            line: the line at which it begins, from 1.

        Raises:
            InputError: it is not valid JSON.
        """
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            message = f"not valid JSON ({error.msg}); is the file truncated?"
            raise self.error(message, line + error.lineno - 1) from None
        except UnicodeDecodeError:
            raise self.error("not UTF-8 text; convert it", line) from None
        except (ValueError, RecursionError):
            raise self.error("the JSON is nested too deeply, or a number is too long") from None

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield each line that is not blank, with its number from 1."""
        for number, line in enumerate(self.body.splitlines(), 1):
            if line.strip():
                yield number, line

    def error(self, message: str, line: int | None = None) -> InputError:
        """Return an InputError about this file."""
        return InputError(message, path=self.path, line=line)


def keys(value: object) -> frozenset[str]:
    """Return the keys of a mapping, none for other values."""
    return frozenset(value) if isinstance(value, dict) else frozenset()


def mapping(value: object) -> dict[str, Any]:
    """Return a mapping, an empty one for other values."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    """Return a list, an empty one for other values."""
    return value if isinstance(value, list) else []


def text(value: object) -> str:
    """Return text, the empty string for other values; lone surrogates become U+FFFD."""
    return repair_surrogates(value) if isinstance(value, str) else ""


def status(value: object) -> int | None:
    """Return an HTTP status, None for other values."""
    return int(value) if type(value) is int and value in _STATUSES else None
