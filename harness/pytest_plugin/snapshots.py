"""The syrupy extension of ``outcome_snapshot``: one readable file per case."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

if TYPE_CHECKING:
    from syrupy.location import PyTestLocation
    from syrupy.types import SnapshotIndex


class SnapshotExtension(SingleFileSnapshotExtension):
    """Stores ``__snapshots__/<module>/<name>.json``; slashes in a name become folders."""

    _write_mode = WriteMode.TEXT
    file_extension = "json"

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        """Return the folder of all snapshots of a test file."""
        file = Path(test_location.filepath)
        return str(file.parent / "__snapshots__" / file.stem.removeprefix("test_"))

    @classmethod
    def get_location(cls, *, test_location: PyTestLocation, index: SnapshotIndex) -> str:
        """Return the file of a named snapshot."""
        return str(Path(cls.dirname(test_location=test_location)) / f"{index}.{cls.file_extension}")

    @classmethod
    def get_snapshot_name(cls, *, test_location: PyTestLocation, index: SnapshotIndex = 0) -> str:
        """Return syrupy's name of a snapshot: that of its file."""
        return Path(cls.get_location(test_location=test_location, index=index)).stem
