"""Files that are whole or not there.

Rule of this file: bytes go to a hidden file beside the place they belong to, reach the disk, and
are then moved into it; whoever kills the process at any moment leaves the old file or the new one.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from harness.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def write_atomically(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file at once.

    Args:
        path: its place; a link is followed.
        pieces: its bytes, taken one after the other.

    Raises:
        InputError: the file cannot be written.
    """
    place = path.resolve() if path.is_symlink() else path
    beside = place.with_name(f".{place.name}.{os.getpid()}.tmp")
    try:
        with beside.open("wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(place)
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", path=path) from error
    finally:
        beside.unlink(missing_ok=True)
