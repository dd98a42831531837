"""What reports write: files that are whole or not there, and JSON that any stream can carry."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from harness import whole_file

if TYPE_CHECKING:
    from pathlib import Path

    from harness.model import JSON


def write_whole(path: Path | None, text: str) -> None:
    """Write a text to a file at once, or to standard output where there is no path.

    Raises:
        InputError: the file cannot be written.
    """
    if path is None:
        sys.stdout.write(text)
        return
    # The name of a file that a report quotes may be no text.
    whole_file.write_whole(path, [text.encode("utf-8", "backslashreplace")])


def json_text(value: JSON) -> str:
    """Return the JSON of a value as a person reads it.

    Half a surrogate pair, as a delta may end in, stays an escape: UTF-8 has no bytes for it.
    """
    text = json.dumps(value, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode()
