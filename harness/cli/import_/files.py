"""Files that users keep: nothing is overwritten unless they ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import InputError
from harness.reports.files import write_report

if TYPE_CHECKING:
    from pathlib import Path


def write_new(path: Path, text: str, *, force: bool) -> None:
    """Write a file completely or not at all.

    Args:
        path: the file; its folders are made.
        text: what to write.
        force: whether to overwrite an existing file.

    Raises:
        InputError: it exists already, or cannot be written.
    """
    refuse_existing(path, force=force)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"the folder cannot be made ({error.strerror}); choose another with --out"
        raise InputError(message, path=path.parent) from error
    write_report(path, text)


def refuse_existing(path: Path, *, force: bool) -> None:
    """Refuse to overwrite a file.

    Raises:
        InputError: it exists, and ``force`` is not given.
    """
    if path.exists() and not force:
        raise InputError("exists already; --force overwrites it", path=path)
