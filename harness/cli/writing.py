"""Files that commands write for people to keep: never over something that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import InputError
from harness.reports.files import write_report

if TYPE_CHECKING:
    from pathlib import Path


def write_new(path: Path, text: str, *, force: bool) -> None:
    """Write a file that is whole or not there.

    Raises:
        InputError: it is there already, or cannot be written.
    """
    refuse_existing(path, force=force)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot be made ({error.strerror})", path=path.parent) from error
    write_report(path, text)


def refuse_existing(path: Path, *, force: bool) -> None:
    """Refuse to write over a file that nobody gave up.

    Raises:
        InputError: it is there.
    """
    if path.exists() and not force:
        raise InputError("is there already; --force writes it anew", path=path)
