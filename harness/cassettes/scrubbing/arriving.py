"""A body of any kind, scrubbed while it arrives: its first bytes tell who does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.cassettes.scrubbing.binary import BinaryScrubber
from harness.cassettes.scrubbing.body import BodyScrubber
from harness.wire import event_stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.cassettes.scrubbing.masking import Finder


class ArrivingBody:
    """Masks the secrets of one body.

    Args:
        finder: finds secrets.
        note: is told the name of each that was masked.
    """

    def __init__(self, finder: Finder, note: Callable[[str], None]) -> None:
        self._finder, self._note = finder, note
        self._begun = b""
        self._scrubbing: BodyScrubber | BinaryScrubber | None = None

    def feed(self, piece: bytes) -> bytes:
        """Take the next bytes; return those that are decided, in their order.

        Raises:
            WireError: they are binary events that cannot be read.
        """
        if self._scrubbing is None:
            self._begun += piece
            if len(self._begun) < event_stream.SNIFFED:
                return b""
            self._scrubbing, piece = self._chosen(), self._begun
        return self._scrubbing.feed(piece)

    def close(self) -> bytes:
        """Return the rest, without a binary event that broke off."""
        if self._scrubbing is None:
            self._scrubbing = self._chosen()
            return self._scrubbing.feed(self._begun) + self._scrubbing.close()
        return self._scrubbing.close()

    def check(self) -> None:
        """Check that ``close`` returned all there was.

        Raises:
            WireError: a binary event broke off.
        """
        if isinstance(self._scrubbing, BinaryScrubber):
            self._scrubbing.check()

    def _chosen(self) -> BodyScrubber | BinaryScrubber:
        kind = BinaryScrubber if event_stream.sniff(self._begun) else BodyScrubber
        return kind(self._finder, self._note)
