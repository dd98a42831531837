"""Readers of an SDK's stream.

A reader of raw iteration is what a user who follows the SDK's documents would write, and nothing
more: it guards what they guard and takes as final what they take as final. A reader of a helper
emits chunks of the helper's own events; content, finish and usage are those of its final object,
because that is what its users read. If the helper raises, they are what it offers in public by
then: its snapshot, or else the deltas it has emitted. No reader repairs anything: where a stream
deviates from the documents, so does the result, which is what these targets measure.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from harness.sdks.result import SdkResult

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.model import Chunk


class SdkReader:
    """Reads the objects of one stream.

    ``terminal`` becomes True with the end that the provider documents. ``stream`` is the SDK's
    stream as soon as it is open, for readers that need more of it than its events.
    """

    stream: Any = None
    terminal: bool = False

    def read(self, event: Any) -> Iterable[Chunk]:
        """Read one of the SDK's objects and return the chunks a user would show."""
        raise NotImplementedError

    async def conclude(self) -> None:
        """Do what the documents do after the loop; by default nothing."""

    def result(self) -> SdkResult:
        """Return what was read so far."""
        raise NotImplementedError


class SnapshotReader(SdkReader):
    """Reads a helper that has a public snapshot of what it has accumulated so far."""

    def __init__(self) -> None:
        self._final: Any = None

    async def conclude(self) -> None:
        """Read the final object; without a finish word, only a part was accumulated."""
        self._final = await self.final_object()
        self.terminal = self.read_object(self._final).finish_raw is not None

    def result(self) -> SdkResult:
        """Return what the final object contains, or the snapshot before there is one."""
        if self._final is not None:
            return self.read_object(self._final)
        with suppress(AssertionError):  # before the first event the SDKs assert their snapshot
            return SdkResult() if self.stream is None else self.read_object(self.snapshot())
        return SdkResult()

    def snapshot(self) -> Any:
        """Return the helper's public snapshot."""
        raise NotImplementedError

    async def final_object(self) -> Any:
        """Return the helper's final object."""
        raise NotImplementedError

    def read_object(self, value: Any) -> SdkResult:
        """Return what a snapshot or a final object contains."""
        raise NotImplementedError
