"""What the helpers with a public snapshot have in common."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from harness.targets.final_objects.common import Final
from harness.targets.reading import Reader


class SnapshotReader(Reader):
    """A helper that shows at every moment what it has accumulated."""

    def __init__(self) -> None:
        self._final: Any = None

    async def conclude(self) -> None:
        """Take the final object; where it names no finish, only a part was accumulated."""
        self._final = await self.last()
        self.terminal = self.told_by(self._final).finish_raw is not None

    def said(self) -> Final:
        """Return what the final object says, or the snapshot while there is none."""
        if self._final is not None:
            return self.told_by(self._final)
        with suppress(AssertionError):  # before the first event the SDKs assert their snapshot
            return Final() if self.stream is None else self.told_by(self.snapshot())
        return Final()

    def snapshot(self) -> Any:
        """Return the helper's public snapshot."""
        raise NotImplementedError

    async def last(self) -> Any:
        """Return the helper's final object."""
        raise NotImplementedError

    def told_by(self, found: Any) -> Final:
        """Return what such an object says."""
        raise NotImplementedError
