"""Plays scripts to targets, one at a time, over a loopback server or in memory."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from harness.model import Outcome
from harness.replay.server import serving
from harness.replay.stage import Stage
from harness.replay.transport import MEMORY_URL, memory_transport
from harness.runner.inline import InlineLane, may_be_inline
from harness.runner.lane import Lane, Played
from harness.targets.base import Call

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model import JSON
    from harness.runner.reader import Reader
    from harness.wire.script import Script


@dataclass(frozen=True)
class Ask:
    """What a client asks: the protocol, the SDK call's arguments, its patience in seconds."""

    protocol: str
    request: Mapping[str, JSON] = field(default_factory=dict)
    read_timeout: float | None = None


class Player:
    """A context manager that owns the speaker and the lane targets listen in.

    Args:
        timeout: seconds a target has for one stream.
        in_memory: speak through the SDKs' transport instead of a socket.
        inline: let targets listen in the calling thread, if that can be had.
    """

    def __init__(self, timeout: float, *, in_memory: bool = False, inline: bool = False) -> None:
        self._timeout, self.in_memory = timeout, in_memory
        self._make_lane = InlineLane if inline and may_be_inline() else Lane
        self._stage = Stage()
        self._speaker = ExitStack()
        self._base_url = MEMORY_URL
        self._transport: Any = None
        self._lane: Lane | None = None

    def __enter__(self) -> Self:
        """Start the speaker; the lane starts with the first script."""
        if self.in_memory:
            self._transport = memory_transport(self._stage)
        else:
            self._base_url = self._speaker.enter_context(serving(self._stage))
        return self

    def __exit__(self, *_: object) -> None:
        """Close the lane, then the speaker."""
        with self._speaker:
            if self._lane is not None:
                self._lane.close()

    def play(
        self, target: str | object, ask: Ask, script: Script, reader: Reader | None = None
    ) -> Played:
        """Let a target listen to one script.

        Args:
            target: its address, or the target itself.
            ask: what the client asks.
            script: what is spoken.
            reader: who reads, and leaves; None reads everything.

        Raises:
            InputError: the address names no target.
        """
        key = self._stage.put(script)
        call = Call(
            protocol=ask.protocol,
            base_url=f"{self._base_url}/{key}",
            request=ask.request,
            read_timeout=ask.read_timeout,
            transport=self._transport,
            **({"consumer": reader.consumer} if reader else {}),
        )
        if reader:
            reader.watch(lambda: next(reversed(self._stage.evidence(key)), None))
        self._lane = self._lane or self._make_lane()
        try:
            played = self._lane.play(target, call, self._timeout, reader)
        finally:
            self._stage.forget(key)
        if played is None:
            self._lane.close(patience=0)  # its thread is blocked by the target; leave it behind
            self._lane = None
            return Played(Outcome(), f"blocked its thread for more than {self._timeout:g} s")
        return played
