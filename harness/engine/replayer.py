"""Replays scripted responses to targets, one at a time, over a loopback server or in memory."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from harness.engine.executor import ThreadExecutor
from harness.engine.results import TargetResult
from harness.model import Outcome
from harness.playback.response_registry import ResponseRegistry
from harness.playback.server import serving
from harness.playback.transport import MEMORY_URL, memory_transport

if TYPE_CHECKING:
    from harness.engine.executor import StreamConsumer
    from harness.targets.base import Call
    from harness.wire.script import Script


class Replayer:
    """A context manager that owns the mock provider and the executor that targets run in.

    Args:
        timeout: seconds a target has for one stream.
        in_memory: replay through the SDKs' transport instead of a socket.
        inline: run targets in the calling thread, where that is possible.
    """

    def __init__(self, timeout: float, *, in_memory: bool = False, inline: bool = False) -> None:
        self._timeout, self.in_memory = timeout, in_memory
        self._inline = inline
        self._registry = ResponseRegistry()
        self._server = ExitStack()
        self._base_url = MEMORY_URL
        self._transport: Any = None
        self._executor: ThreadExecutor | None = None

    def __enter__(self) -> Self:
        """Start the mock provider; executor and transport are made for the first script."""
        if not self.in_memory:
            self._base_url = self._server.enter_context(serving(self._registry))
        return self

    def __exit__(self, *_: object) -> None:
        """Close the executor, then the mock provider."""
        with self._server:
            if self._executor is not None:
                self._executor.close()

    def replay(
        self,
        target: str | object,
        call: Call,
        script: Script,
        consumer: StreamConsumer | None = None,
    ) -> TargetResult:
        """Replay one script to a target and return what the target delivered.

        Args:
            target: its address, or the target itself.
            call: what to ask of it; its ``base_url``, ``transport`` and ``consumer`` are set here.
            script: the response that the mock provider sends.
            consumer: who reads the target's chunks; None reads all of them.

        Raises:
            InputError: the address does not name a target.
        """
        key = self._registry.register(script)
        if self.in_memory and self._transport is None:  # it needs the HTTP library of an SDK
            self._transport = memory_transport(self._registry)
        call = call.at(f"{self._base_url}/{key}", self._transport)
        if consumer:
            call = replace(call, consumer=consumer.consumer)
            consumer.watch(lambda: next(reversed(self._registry.exchanges(key)), None))
        self._executor = self._executor or self._make_executor()
        try:
            result = self._executor.run(target, call, self._timeout, consumer)
        finally:
            self._registry.unregister(key)
        if result is None:
            self._executor.close(patience=0)  # the target blocks its thread: abandon that thread
            self._executor = None
            return TargetResult(Outcome(), f"blocked its thread for more than {self._timeout:g} s")
        return result

    def _make_executor(self) -> ThreadExecutor:
        if self._inline:
            from harness.engine.inline_executor import InlineExecutor, may_be_inline

            if may_be_inline():
                return InlineExecutor()
        return ThreadExecutor()
