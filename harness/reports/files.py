"""What reports write with: files replaced atomically, and JSON that any encoding can carry."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import InputError, UnknownWordError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.model import JSON

_COLOURS = {"red": "31", "green": "32", "yellow": "33", "dim": "2", "bold": "1"}


def place_of(spec: str, kinds: Sequence[str]) -> tuple[str, Path | None]:
    """Return the kind and the file of ``kind`` or ``kind=path``; ``-`` is no file.

    Raises:
        UnknownWordError: no report has that kind.
        InputError: the file cannot be written.
    """
    kind, _, place = spec.partition("=")
    if kind not in kinds:
        raise UnknownWordError("report", kind, kinds)
    path = Path(place) if place and place != "-" else None
    if path is not None and not path.absolute().parent.is_dir():
        raise InputError(
            "the folder for the report does not exist; create it first", path=path.parent
        )
    if path is not None and path.is_dir():
        raise InputError("a folder; name the report's file", path=path)
    return kind, path


def painted(colour: str, text: str) -> str:
    """Return a text as a terminal shows it in a colour."""
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m"


def write_report(path: Path | None, text: str) -> None:
    """Replace a file by a text, or print the text where there is no path.

    Raises:
        InputError: the file cannot be written.
    """
    if path is None:
        sys.stdout.write(text)
        return
    from harness.atomic_file import write_atomically

    # A report may quote a file name that is not valid Unicode.
    write_atomically(path, [text.encode("utf-8", "backslashreplace")])


def json_text(value: JSON) -> str:
    """Return the JSON of a value, with readable characters instead of escapes.

    A lone surrogate, as a delta may end in, stays an escape: UTF-8 has no bytes for it.
    """
    text = json.dumps(value, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode()
