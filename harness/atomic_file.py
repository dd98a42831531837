"""Files that are written atomically.

Rule of this file: the content is written to a hidden file in the same folder, synced to the disk,
and then renamed; a process that is killed at any moment leaves either the old file or the new one.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from harness.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def write_atomically(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file completely or not at all.

    Args:
        path: the file; a symbolic link is followed.
        pieces: its content, consumed one by one.

    Raises:
        InputError: the file cannot be written.
    """
    target = path.resolve() if path.is_symlink() else path
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", path=path) from error
    finally:
        temporary.unlink(missing_ok=True)
