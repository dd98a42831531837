"""Broken targets for consumers that abort: each violates one invariant of an aborted stream.

Each passes on what ``builtin`` does and changes one thing of it, in a way a real interface has
done it (docs/defects.md, the CA cases of docs/catalogue.md).
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.model import Outcome, ToolCall
from harness.protocols import NAMES
from harness.sdks.clients import SdkClients
from harness.targets.builtin import BuiltinListening

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

    from harness.model import Chunk
    from harness.targets.base import Call


@dataclass(frozen=True)
class BrokenAbort:
    """One broken target: its listening, the invariant it violates, the stream and the abort."""

    listening: type[BuiltinListening]
    breaks: str
    stream: str
    consumer: str

    @property
    def name(self) -> str:
        """Its defect, in words."""
        return self.listening.__name__

    def target(self) -> Any:
        """Return a new instance of the target."""
        return _Sinner(self.listening)


class _Sinner:
    name = "broken"
    protocols = NAMES

    def __init__(self, listening: type[BuiltinListening]) -> None:
        self._listening = listening
        self._clients: SdkClients | None = None

    def listen(self, call: Call) -> BuiltinListening:
        self._clients = self._clients or SdkClients(call.transport)
        return self._listening(self._clients, call)


BROKEN_ABORTS: list[BrokenAbort] = []


def violates(
    breaks: str, stream: str = "thinking", consumer: str = "every"
) -> Callable[[type[BuiltinListening]], type[BuiltinListening]]:
    """Register a broken listening."""

    def register(listening: type[BuiltinListening]) -> type[BuiltinListening]:
        BROKEN_ABORTS.append(BrokenAbort(listening, breaks, stream, consumer))
        return listening

    return register


@violates("aborted_is_cancelled")
class SaysComplete(BuiltinListening):
    """D4, D56: an aborted stream looks like one that ended."""

    def outcome(self) -> Outcome:
        outcome = super().outcome()
        complete = {"finish": "stop", "ending": "complete"}
        return outcome.model_copy(update=complete) if outcome.ending == "cancelled" else outcome


@violates("aborted_keeps_prefix")
class LosesWhatWasShown(BuiltinListening):
    """CA-003, CA-007: the clean-up discards the partial answer."""

    def outcome(self) -> Outcome:
        outcome = super().outcome()
        return (
            outcome.model_copy(update={"content": ()}) if outcome.ending == "cancelled" else outcome
        )


@violates("aborted_calls_inert", "calls")
class CompletesHalfACall(BuiltinListening):
    """CA-005, TR-013: a call that was cut by the abort is closed and emitted."""

    def outcome(self) -> Outcome:
        outcome = super().outcome()
        if outcome.ending != "cancelled":
            return outcome
        closed = {"complete": True, "arguments": {}}
        content = (
            part.model_copy(update=closed)
            if isinstance(part, ToolCall) and not part.complete
            else part
            for part in outcome.content
        )
        return outcome.model_copy(update={"content": tuple(content)})


class _Unclosable:
    """A stream without ``close`` or ``aclose``; held, so that no garbage collector helps out."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __aiter__(self) -> AsyncIterator[Any]:
        return aiter(self._stream)


@violates("aborted_closes_connection", consumer="break")
class LeavesTheConnectionOpen(BuiltinListening):
    """D47: the interface's generator is closed, the provider's response is not."""

    async def __aenter__(self) -> Any:
        await super().__aenter__()
        self._stream = _Unclosable(self._stream)
        self._chunks = self._interface.chunks(self._stream)
        return self


@violates("aborted_leaks_nothing", consumer="break:1")
class KeepsPinging(BuiltinListening):
    """CA-016: the task beside the stream is never cancelled."""

    async def __aenter__(self) -> Any:
        self._pinging = asyncio.create_task(self._ping())
        return await super().__aenter__()

    async def _ping(self) -> None:
        await asyncio.sleep(3600)


@violates("cancel_is_not_suppressed")
class SwallowsCancellation(BuiltinListening):
    """CA-013: a cancelled reading ends like a complete one."""

    async def __aenter__(self) -> Any:
        await super().__aenter__()
        self._chunks = self._quietly(super().__aiter__())
        return self

    async def _quietly(self, chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[Chunk, None]:
        async with aclosing(chunks):
            try:
                async for chunk in chunks:
                    yield chunk
            except asyncio.CancelledError:
                return


@violates("no_chunk_after_abort")
class HandsOutAStaleChunk(BuiltinListening):
    """D70: what was thrown into the stream is discarded, and the next chunk follows."""

    async def __aenter__(self) -> Any:
        await super().__aenter__()
        self._chunks = self._again(super().__aiter__())
        return self

    async def _again(self, chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[Chunk, None]:
        async with aclosing(chunks):
            async for chunk in chunks:
                try:
                    yield chunk
                except Exception:
                    yield chunk
                    raise
