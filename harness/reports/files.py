"""What reports write: files that are whole or not there, and JSON that any stream can carry."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from harness.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from harness.model import JSON


def write_whole(path: Path | None, text: str) -> None:
    """Write a text to a file at once, or to standard output where there is no path.

    The file is written beside its place, then moved into it.

    Raises:
        InputError: the file cannot be written.
    """
    if path is None:
        sys.stdout.write(text)
        return
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        beside.write_text(text, "utf-8", errors="backslashreplace")  # a file's name may be no text
        beside.replace(path)
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", path=path) from error
    finally:
        beside.unlink(missing_ok=True)


def json_text(value: JSON) -> str:
    """Return the JSON of a value as a person reads it.

    Half a surrogate pair, as a delta may end in, stays an escape: UTF-8 has no bytes for it.
    """
    text = json.dumps(value, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode()
