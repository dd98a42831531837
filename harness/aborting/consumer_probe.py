"""A consumer that reads a target's stream, aborts it in the named way, and notes what it observed.

Rules of this file: where aborting means to interrupt a wait, the interrupt comes when every byte of
the script has been sent and the target waits for more, never after a fixed delay; what the abort
itself raises is noted, not raised again; the probe ends every task that it started.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from harness.aborting.leaks import NOTHING_RAISED, find_leaks, raised, wrong_exception
from harness.model import Outcome
from harness.scenarios import READ

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Mapping

    from harness.model import JSON, Chunk, ToolCall
    from harness.playback.response_registry import ExchangeLog
    from harness.scenarios import Consumer
    from harness.targets.base import Listening
    from harness.wire.script import Script

SETTLE = 0.001  # seconds for sent bytes to be read, and for a closing to be finished
BOUND = 0.25  # seconds in which a target has to release its consumer


class ConsumerAbort(Exception):  # noqa: N818 - not an error: what a consumer throws to abort
    """What a consumer throws into a stream it aborts."""


class ConsumerProbe:
    """One reading of one stream.

    Args:
        consumer: what to do, with the number of chunks after which a consumer aborts by itself; one
            that is interrupted (``cancel``, ``timeout``) reads until the whole script is sent.
        script: the response that is replayed.

    After the reading these hold what was observed: ``received`` chunks and, for each, the bytes
    ``sent_at`` that moment; chunks received ``after_abort``; whether it ``aborted`` at all; what it
    got in place of the exception that had to propagate (``suppressed``); whether the target was
    ``unresponsive``; the bytes ``sent`` before the abort and in all; the ``completed_calls`` before
    the abort; the server's last ``log``; the ``leaks``.
    """

    def __init__(self, consumer: Consumer, script: Script) -> None:
        self._consumer = consumer
        self._length, self._stalls = len(script.body), script.end == "stall"
        self._reading: asyncio.Task[None] | None = None
        self._log: Callable[[], ExchangeLog | None] = lambda: None
        self._iterator: AsyncIterator[Chunk] | None = None
        self.received: list[Chunk] = []
        self.sent_at: list[int] = []
        self.after_abort: list[Chunk] = []
        self.aborted = False
        self.suppressed: str | None = None
        self.unresponsive = False
        self.sent = (0, 0)
        self.completed_calls: tuple[ToolCall, ...] = ()
        self.log: ExchangeLog | None = None
        self.leaks: tuple[str, ...] = ()

    @property
    def consumer(self) -> Mapping[str, JSON]:
        """The consumer as a target in another process receives it: ``Call.consumer``."""
        do, at = self._consumer.do, self._consumer.at
        return {"do": do} if at is None else {"do": do, "at": at}

    def watch(self, log: Callable[[], ExchangeLog | None]) -> None:
        """Take a function that returns what the server has logged of this exchange so far."""
        self._log = log

    async def read(self, listening: Listening) -> None:
        """Read, and abort.

        Raises:
            Exception: what the stream raised before the abort.
        """
        if self._consumer.do == READ:
            await self._read_all(listening)
            return
        tasks = asyncio.all_tasks()
        with _started_generators() as started:
            await self._read_and_abort(listening)
            if self.aborted:
                await self._observe(tasks, started)

    async def _read_and_abort(self, listening: Listening) -> None:
        try:
            await _WAYS[self._consumer.do](self, listening)
        except Exception as error:
            if not self.aborted:
                raise
            self.suppressed = raised(error)

    # What every way consists of

    async def _read_all(self, listening: Listening) -> None:
        async with listening:
            await self._receive(listening)

    async def _receive(self, listening: Listening, count: int | None = None) -> None:
        self._iterator = aiter(listening)
        if count == 0:
            return
        async for chunk in self._iterator:
            self.received.append(chunk)
            self.sent_at.append(self._bytes_sent())
            if len(self.received) == count:
                return

    def _bytes_sent(self) -> int:
        log = self._log()
        return log.bytes_sent if log else 0

    def _note_abort(self, listening: Listening) -> None:
        """Note the state just before the abort."""
        self.aborted = True
        outcome = listening.outcome()
        if isinstance(outcome, Outcome):
            self.completed_calls = tuple(call for call in outcome.tool_calls if call.complete)
        self.sent = (self._bytes_sent(), 0)

    async def _observe(self, tasks: set[asyncio.Task[Any]], started: WeakSet[Any]) -> None:
        """Note the state after the abort, and ask for one more chunk."""
        await asyncio.sleep(SETTLE)
        with suppress(TimeoutError):
            async with asyncio.timeout(BOUND / 2):
                while self._still_open() or self._new(tasks):  # noqa: ASYNC110 - two owners, no event
                    await asyncio.sleep(5 * SETTLE)
        self.log = self._log()
        self.sent = (self.sent[0], self._bytes_sent())
        self.leaks = find_leaks(self._new(tasks), started)
        await self._read_on()

    def _still_open(self) -> bool:
        log = self._log()
        if log is None or log.closed_by is not None:
            return False
        return self._stalls or log.bytes_sent < self._length

    def _new(self, tasks: set[asyncio.Task[Any]]) -> set[asyncio.Task[Any]]:
        """Return the tasks that did not exist before the reading, without the probe's own."""
        return {task for task in asyncio.all_tasks() - tasks if task is not self._reading}

    async def _read_on(self) -> None:
        if self._iterator is None or self.unresponsive:
            return
        with suppress(Exception, asyncio.CancelledError):
            async with asyncio.timeout(BOUND):
                self.after_abort.append(await anext(self._iterator))

    # The consumer aborts by itself

    async def _break(self, listening: Listening) -> None:
        async with listening:
            await self._receive(listening, self._consumer.at)
            self._note_abort(listening)

    async def _aclose(self, listening: Listening) -> None:
        async with listening:
            await self._receive(listening, self._consumer.at)
            self._note_abort(listening)
            close = getattr(self._iterator, "aclose", None)
            if close is not None:
                await self._expect(None, close())

    async def _throw(self, listening: Listening) -> None:
        error = ConsumerAbort()
        try:
            async with listening:
                await self._receive(listening, self._consumer.at)
                self._note_abort(listening)
                throw = getattr(self._iterator, "athrow", None)
                if throw is not None:
                    await self._expect(error, self._receive_late(throw(error)))
                raise error
        except ConsumerAbort:
            return

    async def _receive_late(self, chunk: Awaitable[Chunk]) -> None:
        self.after_abort.append(await chunk)

    async def _expect(self, wanted: BaseException | None, abort: Awaitable[None]) -> None:
        """Note what an abort raises in place of what it should."""
        try:
            await abort
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the target's fault
            if error is not wanted:
                self.suppressed = raised(error)
        else:
            # A chunk in place of the exception violates no_chunk_after_abort, and only that.
            if wanted is not None and not self.after_abort:
                self.suppressed = NOTHING_RAISED

    # The consumer is interrupted while the target waits

    async def _cancel(self, listening: Listening) -> None:
        reading = asyncio.create_task(self._read_all(listening), name="consumer")
        await self._interrupt(listening, reading, reading.cancel, asyncio.CancelledError)

    async def _timeout(self, listening: Listening) -> None:
        deadline = asyncio.timeout(None)

        async def read() -> None:
            nonlocal deadline
            async with AsyncExitStack() as stack:
                async with deadline:
                    await stack.enter_async_context(listening)
                deadline = asyncio.timeout(None)
                async with deadline:
                    await self._receive(listening)

        def expire() -> None:
            deadline.reschedule(asyncio.get_running_loop().time())

        await self._interrupt(listening, asyncio.create_task(read()), expire, TimeoutError)

    async def _interrupt(
        self,
        listening: Listening,
        reading: asyncio.Task[None],
        interrupt: Callable[[], object],
        wanted: type[BaseException],
    ) -> None:
        self._reading = reading
        try:
            await self._until_stalled(reading)
            if reading.done():
                await reading  # it ended by itself, or failed: there was nothing to abort
                return
            self._note_abort(listening)
            interrupt()
            await asyncio.wait({reading}, timeout=BOUND)
            self.unresponsive = not reading.done()
            held = f"the consumer was still held after {BOUND:g} s"
            self.suppressed = held if self.unresponsive else wrong_exception(reading, wanted)
        finally:
            reading.cancel()

    async def _until_stalled(self, reading: asyncio.Task[None]) -> None:
        """Wait until the script is sent and the target waits for what never comes."""
        while not reading.done():
            await asyncio.sleep(SETTLE)
            log = self._log()
            if log is not None and log.bytes_sent >= self._length:
                await asyncio.sleep(SETTLE)
                return


@contextmanager
def _started_generators() -> Generator[WeakSet[Any], None, None]:
    """Collect the asynchronous generators this thread starts; they are finalized as ever."""
    hooks = sys.get_asyncgen_hooks()
    started: WeakSet[Any] = WeakSet()

    def first(generator: Any) -> None:
        started.add(generator)
        if hooks.firstiter is not None:
            hooks.firstiter(generator)

    sys.set_asyncgen_hooks(firstiter=first, finalizer=hooks.finalizer)
    try:
        yield started
    finally:
        sys.set_asyncgen_hooks(*hooks)


_WAYS: Mapping[str, Callable[[ConsumerProbe, Listening], Coroutine[Any, Any, None]]] = {
    "break": ConsumerProbe._break,  # noqa: SLF001 - this class's own ways to abort
    "aclose": ConsumerProbe._aclose,  # noqa: SLF001 - the same
    "cancel": ConsumerProbe._cancel,  # noqa: SLF001 - the same
    "timeout": ConsumerProbe._timeout,  # noqa: SLF001 - the same
    "throw": ConsumerProbe._throw,  # noqa: SLF001 - the same
}
