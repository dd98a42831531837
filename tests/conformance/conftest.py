from __future__ import annotations

from typing import Any

import pytest

from harness.pytest_plugin.snapshots import SnapshotExtension


class TableExtension(SnapshotExtension):
    """One text file per topic."""

    file_extension = "txt"


@pytest.fixture
def table_snapshot(snapshot: Any) -> Any:
    return snapshot.use_extension(TableExtension)
