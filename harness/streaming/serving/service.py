"""The front door of the streaming service.

Rule of this file: a request is refused by an exception before the first byte, so it can be answered
with a status of its own; afterwards whatever happens is told in frames.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.streaming.cancellation import CancellationRegistry
from harness.streaming.envelope import otid
from harness.streaming.serving.run_stream import RunStream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
    from contextlib import AbstractAsyncContextManager

    from harness.model import JSON
    from harness.streaming.serving.agent import Agent
    from harness.streaming.serving.client_events.builder import Otid
    from harness.streaming.serving.keepalive import CallLater
    from harness.streaming.serving.runs.lock import Lease
    from harness.streaming.serving.runs.store import Run, RunStore


@dataclass(frozen=True)
class StreamRequest:
    """What a client asks of the service.

    Args:
        agent_id: whose run it is.
        conversation: what only one run at a time may work on, None where nothing is shared.
        run_id: the id of the run, given by the caller or made by the store.
        metadata: kept with the run.
    """

    agent_id: str | None = None
    conversation: str | None = None
    run_id: str | None = None
    metadata: Mapping[str, JSON] = field(default_factory=dict)


async def _everybody(_: StreamRequest) -> None:
    """Refuse nobody."""


@dataclass(frozen=True, kw_only=True)
class StreamingService:
    """Streams the runs of one agent loop.

    Args:
        agent: the loop.
        runs: where runs are kept, None where they are not tracked; their frames then say null.
        registry: who may cancel a run: ``registry.fire(run.id)``.
        conversations: holds a conversation for a run, e.g. ``ConversationLock.held``.
        admit: raises where a request has to be refused, e.g. ``PendingApprovalError``; it is asked
            while the conversation is held and before there is a run.
        keepalive_s: seconds of silence after which a ping is sent, None for none.
        call_later: the clock of the pings, the event loop's unless given.
        otid: (message id, part) -> the id of one logical message.
    """

    agent: Agent
    runs: RunStore | None
    registry: CancellationRegistry = field(default_factory=CancellationRegistry)
    conversations: Callable[[str], AbstractAsyncContextManager[Lease]] | None = None
    admit: Callable[[StreamRequest], Awaitable[None]] = _everybody
    keepalive_s: float | None = None
    call_later: CallLater | None = None
    otid: Otid = otid

    async def stream(
        self, request: StreamRequest
    ) -> tuple[Run | None, AsyncGenerator[bytes, None]]:
        """Create a run and return it with its frames, as server-sent events.

        The conversation is held from now on until the frames are read or closed, so close them
        where they are not read to the end (Starlette's responses do not; frames that are dropped
        are closed when the garbage is collected). The run is final and the conversation free
        before the client is told why the run stopped.

        Raises:
            ConversationBusyError: another run holds the conversation.
            RunExistsError: there is a run of that id.
            InputError: the keepalive interval is no time.
            Exception: what ``admit`` or the store raised; there is no run then.
        """
        stream = RunStream(self, request)
        frames = stream.frames()
        await anext(frames)  # as far as READY: from here on closing it gives back what it holds
        return stream.run, frames
