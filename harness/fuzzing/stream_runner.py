"""Telling generated streams to a target: one player, one lane, each stream of a case once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.engine.replayer import TargetRequest
from harness.fuzzing.properties import Delivered
from harness.protocols import protocol
from harness.targets.addresses import BUILTIN
from harness.wire.script import Script

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.engine.executor import TargetResult
    from harness.engine.replayer import Replayer
    from harness.fuzzing.properties import Deliver


def twins_of(target: str | object) -> Mapping[str, str | object]:
    """Return the twins of a target, by their word."""
    row = BUILTIN.get(target) if isinstance(target, str) else None
    return row.variants if row else {}


class StreamRunner:
    """Tells streams to one target.

    Args:
        player: who plays them.
        target: its address, or the target itself.
        twins: the other ways to the same answer, by their word.
    """

    def __init__(
        self, player: Replayer, target: str | object, twins: Mapping[str, str | object]
    ) -> None:
        self._player, self._target, self._twins = player, target, twins
        self._asks: dict[str, TargetRequest] = {}
        self.streams = 0

    def about(self, protocol_name: str) -> Deliver:
        """Return a way to tell the streams of one case, each of them once."""
        told: dict[tuple[Script, str, str], Delivered] = {}

        def tell(script: Script, *, protocol: str = "", twin: str = "") -> Delivered:
            key = (script, protocol, twin)
            if key not in told:
                told[key] = self._tell(script, protocol or protocol_name, twin)
            return told[key]

        return tell

    def speaks(self, protocol_name: str) -> bool:
        """Say whether the target speaks a protocol at all, by telling it nothing."""
        return not self._play(Script(()), protocol_name, self._target).unspoken

    def _tell(self, script: Script, name: str, twin: str) -> Delivered:
        self.streams += 1
        played = self._play(script, name, self._twins[twin] if twin else self._target)
        return Delivered(played.outcome, played.complaint, played.unspoken)

    def _play(self, script: Script, name: str, target: str | object) -> TargetResult:
        if name not in self._asks:
            self._asks[name] = TargetRequest(name, protocol(name).request)
        return self._player.play(target, self._asks[name], script)
