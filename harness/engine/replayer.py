"""Plays scripts to targets, one at a time, over a loopback server or in memory."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from harness.engine.executor import TargetResult, ThreadExecutor
from harness.engine.inline_executor import InlineExecutor, may_be_inline
from harness.model import Outcome
from harness.playback.response_registry import ResponseRegistry
from harness.playback.server import serving
from harness.playback.transport import MEMORY_URL, memory_transport
from harness.targets.base import Call

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.engine.consumer_probe import ConsumerProbe
    from harness.model import JSON
    from harness.wire.script import Script


@dataclass(frozen=True)
class TargetRequest:
    """What a client asks: the protocol, the SDK call's arguments, its patience in seconds."""

    protocol: str
    request: Mapping[str, JSON] = field(default_factory=dict)
    read_timeout: float | None = None


class Replayer:
    """A context manager that owns the speaker and the lane targets listen in.

    Args:
        timeout: seconds a target has for one stream.
        in_memory: speak through the SDKs' transport instead of a socket.
        inline: let targets listen in the calling thread, if that can be had.
    """

    def __init__(self, timeout: float, *, in_memory: bool = False, inline: bool = False) -> None:
        self._timeout, self.in_memory = timeout, in_memory
        self._make_lane = InlineExecutor if inline and may_be_inline() else ThreadExecutor
        self._stage = ResponseRegistry()
        self._speaker = ExitStack()
        self._base_url = MEMORY_URL
        self._transport: Any = None
        self._lane: ThreadExecutor | None = None

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
        self,
        target: str | object,
        ask: TargetRequest,
        script: Script,
        reader: ConsumerProbe | None = None,
    ) -> TargetResult:
        """Let a target listen to one script.

        Args:
            target: its address, or the target itself.
            ask: what the client asks.
            script: what is spoken.
            reader: who reads, and leaves; None reads everything.

        Raises:
            InputError: the address names no target.
        """
        key = self._stage.register(script)
        call = Call(
            protocol=ask.protocol,
            base_url=f"{self._base_url}/{key}",
            request=ask.request,
            read_timeout=ask.read_timeout,
            transport=self._transport,
            **({"consumer": reader.consumer} if reader else {}),
        )
        if reader:
            reader.watch(lambda: next(reversed(self._stage.exchanges(key)), None))
        self._lane = self._lane or self._make_lane()
        try:
            played = self._lane.play(target, call, self._timeout, reader)
        finally:
            self._stage.unregister(key)
        if played is None:
            self._lane.close(patience=0)  # its thread is blocked by the target; leave it behind
            self._lane = None
            return TargetResult(Outcome(), f"blocked its thread for more than {self._timeout:g} s")
        return played
