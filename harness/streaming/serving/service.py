"""The streaming service: a request becomes a run, and the run becomes client events.

Rules of this file:

- A request is refused by an exception before the first byte, so the caller can answer with an HTTP
  status. After that, every failure is reported by client events.
- A run has one end. Until it is known it is ``CANCELLED``, the end of a disconnected client, so
  every way out of the stream ends the run.
- Resources are released in reverse order on every path, in the task that reads the stream, and a
  cancellation does not interrupt that.
- The run is final in its store before the client receives its stop reason. If another process ended
  the run first, the client receives that end.
- A cancellation of the reading task is always raised again.
"""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.errors import ConversationBusyError, RunCancelled
from harness.streaming.cancellation import CancellationRegistry, CancelSignal
from harness.streaming.closing import DeferCancellation, aclose
from harness.streaming.serving.agent import AgentChunk, AgentRequest
from harness.streaming.serving.client_events import (
    DONE,
    INTERNAL,
    MESSAGE_TYPES,
    ClientEventBuilder,
    otid,
    write,
)
from harness.streaming.serving.keepalive import with_keepalive
from harness.streaming.serving.run_end import (
    CANCELLED,
    INCOMPLETE,
    RunEnd,
    UsageTotals,
    run_end_of,
)
from harness.streaming.serving.runs.statuses import status_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
    from contextlib import AbstractAsyncContextManager

    from harness.model import JSON
    from harness.streaming.serving.agent import Agent
    from harness.streaming.serving.client_events import ClientEvent, Otid
    from harness.streaming.serving.keepalive import CallLater
    from harness.streaming.serving.runs.lock import Lease
    from harness.streaming.serving.runs.store import Run, RunStore

RELEASE_S = 10.0  # how long a cancellation waits for the store and the lock
READY = b""  # not a frame: the run exists and everything it needs is acquired
_log = logging.getLogger(__name__)

# The generators that runs are read from. A web server may drop the stream of a disconnected client.
# When all generators of a run become garbage at once, the event loop would close the inner ones
# while the outer one is still using them. A reference here makes them wait for the outer one.
_OPEN_GENERATORS: set[AsyncGenerator[bytes, None]] = set()


@dataclass(frozen=True)
class StreamRequest:
    """A client's request to the service.

    Args:
        agent_id: the agent that the run belongs to.
        conversation: the conversation that only one run at a time may work on, None if the run
            shares nothing.
        run_id: the id of the run; the store makes one if it is None.
        metadata: stored with the run.
    """

    agent_id: str | None = None
    conversation: str | None = None
    run_id: str | None = None
    metadata: Mapping[str, JSON] = field(default_factory=dict)


async def _admit_all(_: StreamRequest) -> None:
    """Refuse no request."""


@dataclass(frozen=True, kw_only=True)
class StreamingService:
    """Streams the runs of one agent loop.

    Args:
        agent: the loop.
        runs: the store of runs, None if runs are not tracked; ``run_id`` is then null in all client
            events.
        registry: cancels runs: ``registry.fire(run.id)``.
        conversations: acquires a conversation for a run, e.g. ``ConversationLock.acquire``.
        admit: raises if a request must be refused, e.g. ``PendingApprovalError``. It is called
            while the conversation is held and before the run exists.
        keepalive_s: seconds of silence after which a ping is sent, None for no pings.
        call_later: the timer of the pings, that of the event loop by default.
        otid: (message id, part) -> the id of one logical message.
    """

    agent: Agent
    runs: RunStore | None
    registry: CancellationRegistry = field(default_factory=CancellationRegistry)
    conversations: Callable[[str], AbstractAsyncContextManager[Lease]] | None = None
    admit: Callable[[StreamRequest], Awaitable[None]] = _admit_all
    keepalive_s: float | None = None
    call_later: CallLater | None = None
    otid: Otid = otid

    async def stream(
        self, request: StreamRequest
    ) -> tuple[Run | None, AsyncGenerator[bytes, None]]:
        """Create a run and return it with its frames: client events as server-sent events.

        The conversation is held until the frames are read to the end or closed, so close them if
        they may not be read to the end. Starlette's responses do not do that; dropped frames are
        closed at garbage collection. The run is final and the conversation free before the client
        receives the stop reason.

        Raises:
            ConversationBusyError: another run holds the conversation.
            RunExistsError: a run with that id exists.
            InputError: the keepalive interval is not a positive number of seconds.
            Exception: whatever ``admit`` or the store raised; no run exists then.
        """
        stream = _RunStream(self, request)
        frames = stream.frames()
        await anext(frames)  # until READY: from then on, closing it releases its resources
        return stream.run, frames


class _RunStream:
    """Streams one run, once.

    Args:
        service: the agent, and everything that the run uses.
        request: the client's request.

    ``run`` is the run as last read from the store, None before ``READY`` and where runs are not
    tracked.
    """

    def __init__(self, service: StreamingService, request: StreamRequest):
        self._service, self._request = service, request
        self.run: Run | None = None
        self._resources = AsyncExitStack()
        self._lease: Lease | None = None
        self._signal = CancelSignal()
        self._end = CANCELLED
        self._totals = UsageTotals()

    async def frames(self) -> AsyncGenerator[bytes, None]:
        """Yield ``READY``, then the bytes of one client event at a time.

        Raises:
            Exception: before ``READY``: the reason why no run was created.
            CancelledError: the reading task was cancelled. The run is cancelled too, unless it had
                ended already.
        """
        body = self._with_keepalive()
        _OPEN_GENERATORS.add(body)
        try:
            await self._prepare()
            yield READY
            async with aclosing(body):
                async for frame in body:
                    yield frame
        finally:
            _OPEN_GENERATORS.discard(body)
            await DeferCancellation(self._resources.aclose(), RELEASE_S)
        for event in self._final_events():
            yield write(event)

    async def _prepare(self) -> None:
        """Acquire what the run needs; the exit stack ends the run before it frees the lock."""
        service, request = self._service, self._request
        if service.conversations is not None and request.conversation is not None:
            lease = service.conversations(request.conversation)
            self._lease = await self._resources.enter_async_context(lease)
        await service.admit(request)
        if service.runs is not None:
            await DeferCancellation(self._create(service.runs))
        run_id = None if self.run is None else self.run.id
        self._builder = ClientEventBuilder(run_id, service.otid)

    async def _create(self, runs: RunStore) -> None:
        request = self._request
        run = await runs.create(request.agent_id, request.metadata, request.run_id)
        self.run = run
        self._resources.push_async_callback(self._finish, runs, run.id)
        registered = self._service.registry.registered(run.id)
        self._signal = await self._resources.enter_async_context(registered)

    def _with_keepalive(self) -> AsyncGenerator[bytes, None]:
        """Return the frames of the agent's messages, with pings while it is silent."""
        service, frames = self._service, self._message_frames()
        if service.keepalive_s is None:
            return frames
        return with_keepalive(frames, service.keepalive_s, self._ping, service.call_later)

    def _ping(self) -> bytes:
        return write(self._builder.ping())

    async def _message_frames(self) -> AsyncGenerator[bytes, None]:
        """Yield the frames of the agent's messages; an exception becomes the end of the run."""
        try:
            async with aclosing(self._run_agent()) as frames:
                async for frame in frames:
                    yield frame
        except Exception as error:  # noqa: BLE001 - the client gets an error event, the log the rest
            self._end = run_end_of(error)
            if self._end.failure is INTERNAL:
                _log.exception("run %s failed", self._name)

    async def _run_agent(self) -> AsyncGenerator[bytes, None]:
        """Yield the frames of the agent's messages until it yields its stop reason."""
        await self._start()
        work = AgentRequest(self.run, self._signal, self._totals.add_outcome)
        agent = self._service.agent(work)
        try:
            async for item in self._signal.guard_stream(agent):
                self._ensure_leased()
                if not isinstance(item, AgentChunk):
                    status_of(item)  # an unknown reason is refused here, not in the store
                    self._end = RunEnd(item)
                    return
                self._totals.add_chunk(item)
                if item.chunk.kind in MESSAGE_TYPES:
                    yield write(self._message(item))
            self._end = CANCELLED if self._signal.fired else INCOMPLETE
        finally:
            await self._close(agent)

    def _message(self, item: AgentChunk) -> ClientEvent:
        return self._builder.message(item.chunk, message_id=item.message_id, step_id=item.step_id)

    async def _start(self) -> None:
        if self.run is not None and self._service.runs is not None:
            self.run = await self._service.runs.start(self.run.id)
            if self.run.terminal:  # it was cancelled before it started
                raise RunCancelled

    def _ensure_leased(self) -> None:
        if self._lease is not None and self._lease.lost:
            raise ConversationBusyError(self._lease.conversation)

    async def _close(self, agent: object) -> None:
        error = await aclose(agent)
        if error is not None:
            _log.warning("the agent of run %s could not be closed", self._name, exc_info=error)

    async def _finish(self, runs: RunStore, run_id: str) -> None:
        """Store the end of the run; if the run had ended already, the stored end is the end."""
        end = self._end
        try:
            self.run = await runs.finish(run_id, end.reason, end.metadata())
        except Exception:  # noqa: BLE001 - the client must receive its end even if the store fails
            _log.exception("run %s ended as %s, which could not be stored", run_id, end.reason)
            return
        stored = self.run.stop_reason
        if stored is not None and stored != end.reason:
            self._end = RunEnd(stored)

    @property
    def _name(self) -> str:
        return "without an id" if self.run is None else self.run.id

    def _final_events(self) -> Iterator[ClientEvent]:
        end, usage = self._end, self._totals.usage
        yield self._builder.stop_reason(end.reason, self._totals.finish)
        if usage is not None:
            yield self._builder.usage(usage, self._totals.steps, partial=self._totals.partial)
        if end.failure is not None:
            yield self._builder.error(end.failure, end.detail)
        yield DONE
