"""Replay of generated streams to one target and its variants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.protocols import protocol
from harness.targets.base import Call
from harness.wire.script import Script

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.engine.replayer import Replayer
    from harness.engine.results import TargetResult
    from harness.fuzzing.properties.property import Replay


class StreamRunner:
    """Replays streams to one target.

    Args:
        replayer: replays a script.
        target: the target's address, or the target itself.
        variants: other ways to get the same answer, by name.
    """

    def __init__(
        self, replayer: Replayer, target: str | object, variants: Mapping[str, str | object]
    ) -> None:
        self._replayer, self._target, self._variants = replayer, target, variants
        self._requests: dict[str, Call] = {}
        self.streams = 0  # how many were replayed

    def for_case(self, protocol_name: str) -> Replay:
        """Return what replays the streams of one case, each of them once.

        Args:
            protocol_name: the case's protocol.
        """
        results: dict[tuple[Script, str, str], TargetResult] = {}

        def replay(script: Script, *, protocol: str = "", variant: str = "") -> TargetResult:
            key = (script, protocol, variant)
            if key not in results:
                results[key] = self.replay(script, protocol or protocol_name, variant)
            return results[key]

        return replay

    def supports(self, protocol_name: str) -> bool:
        """Return whether the target supports a protocol, by replaying an empty body."""
        return not self._replay(Script(()), protocol_name, self._target).unsupported

    def replay(self, script: Script, protocol_name: str, variant: str) -> TargetResult:
        """Replay one stream to the target, or to a variant if one is named."""
        self.streams += 1
        target = self._variants[variant] if variant else self._target
        return self._replay(script, protocol_name, target)

    def _replay(self, script: Script, name: str, target: str | object) -> TargetResult:
        if name not in self._requests:
            self._requests[name] = Call(name, request=protocol(name).request)
        return self._replayer.replay(target, self._requests[name], script)
