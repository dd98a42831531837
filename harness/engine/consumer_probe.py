"""The reader of a listening: takes chunks, leaves in the named way, and notes what it saw.

Rules of this file: where leaving means to interrupt a wait, the reader is interrupted when every
byte of the script has been sent and the target waits for more, never after a guess of time; what
the leaving itself raises is noted, not raised again; whatever a reader starts, it ends.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from harness.engine.leaks import came_out, find_leaks
from harness.model import Outcome
from harness.scenarios import READ

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Mapping

    from harness.model import JSON, Chunk, ToolCall
    from harness.playback.response_registry import ExchangeLog
    from harness.scenarios import Consumer
    from harness.targets.base import Listening
    from harness.wire.script import Script

SETTLE = 0.001  # seconds for what was sent to be read, and for what is closing to close
BOUND = 0.25  # seconds in which a target has to let its reader go


class ConsumerAbort(Exception):  # noqa: N818 - no error: what a reader throws in order to leave
    """What a reader throws into a stream it leaves."""


class ConsumerProbe:
    """One reading of one stream.

    Args:
        consumer: what to do, with a count of chunks where the reader leaves by itself; a reader
            that is interrupted (``cancel``, ``timeout``) takes what comes until the script is sent.
        script: what is being spoken.
    """

    def __init__(self, consumer: Consumer, script: Script) -> None:
        self._consumer = consumer
        self._length, self._stalls = len(script.body), script.end == "stall"
        self._reading: asyncio.Task[None] | None = None
        self._evidence: Callable[[], ExchangeLog | None] = lambda: None
        self._iterator: AsyncIterator[Chunk] | None = None
        self.taken: list[Chunk] = []
        self.arrived: list[int] = []  # bytes sent by the time each chunk was taken
        self.late: list[Chunk] = []
        self.left = False
        self.swallowed: str | None = None
        self.deaf = False  # it did not let go within the bound
        self.sent = (0, 0)
        self.closed: tuple[ToolCall, ...] = ()
        self.last: ExchangeLog | None = None
        self.remains: tuple[str, ...] = ()

    @property
    def consumer(self) -> Mapping[str, JSON]:
        """What the target is told of its reader."""
        do, at = self._consumer.do, self._consumer.at
        return {"do": do} if at is None else {"do": do, "at": at}

    def watch(self, evidence: Callable[[], ExchangeLog | None]) -> None:
        """Learn how to ask the server what it saw of this exchange."""
        self._evidence = evidence

    async def read(self, listening: Listening) -> None:
        """Read, and leave.

        Raises:
            Exception: what came out of the stream before the reader left.
        """
        if self._consumer.do == READ:
            await self._read_all(listening)
            return
        tasks = asyncio.all_tasks()
        with _started_generators() as started:
            await self._leaving(listening)
            if self.left:
                await self._look_back(tasks, started)

    async def _leaving(self, listening: Listening) -> None:
        try:
            await _WAYS[self._consumer.do](self, listening)
        except Exception as error:
            if not self.left:
                raise
            self.swallowed = f"{type(error).__name__} came out: {error}"[:200]

    # What every way is made of

    async def _read_all(self, listening: Listening) -> None:
        async with listening:
            await self._take(listening)

    async def _take(self, listening: Listening, count: int | None = None) -> None:
        self._iterator = aiter(listening)
        if count == 0:
            return
        async for chunk in self._iterator:
            self.taken.append(chunk)
            self.arrived.append(self._sent())
            if len(self.taken) == count:
                return

    def _sent(self) -> int:
        seen = self._evidence()
        return seen.bytes_sent if seen else 0

    def _leave(self, listening: Listening) -> None:
        """Note how things stand just before the leaving."""
        self.left = True
        outcome = listening.outcome()
        if isinstance(outcome, Outcome):
            self.closed = tuple(call for call in outcome.tool_calls if call.complete)
        self.sent = (self._sent(), 0)

    async def _look_back(self, tasks: set[asyncio.Task[Any]], started: WeakSet[Any]) -> None:
        """Note what is left of the stream, and ask for one more chunk."""
        await asyncio.sleep(SETTLE)
        with suppress(TimeoutError):
            async with asyncio.timeout(BOUND / 2):
                while self._still_open() or self._new(tasks):  # noqa: ASYNC110 - two owners, no event
                    await asyncio.sleep(5 * SETTLE)
        self.last = self._evidence()
        self.sent = (self.sent[0], self._sent())
        self.remains = find_leaks(self._new(tasks), started)
        await self._ask_again()

    def _still_open(self) -> bool:
        seen = self._evidence()
        if seen is None or seen.closed_by is not None:
            return False
        return self._stalls or seen.bytes_sent < self._length

    def _new(self, tasks: set[asyncio.Task[Any]]) -> set[asyncio.Task[Any]]:
        """Return the tasks that were not there before the reading, without the reader's own."""
        return {task for task in asyncio.all_tasks() - tasks if task is not self._reading}

    async def _ask_again(self) -> None:
        if self._iterator is None or self.deaf:
            return
        with suppress(Exception, asyncio.CancelledError):
            async with asyncio.timeout(BOUND):
                self.late.append(await anext(self._iterator))

    # Leaving by itself

    async def _break(self, listening: Listening) -> None:
        async with listening:
            await self._take(listening, self._consumer.at)
            self._leave(listening)

    async def _aclose(self, listening: Listening) -> None:
        async with listening:
            await self._take(listening, self._consumer.at)
            self._leave(listening)
            close = getattr(self._iterator, "aclose", None)
            if close is not None:
                await self._expect(None, close())

    async def _throw(self, listening: Listening) -> None:
        error = ConsumerAbort()
        try:
            async with listening:
                await self._take(listening, self._consumer.at)
                self._leave(listening)
                throw = getattr(self._iterator, "athrow", None)
                if throw is not None:
                    await self._expect(error, self._late(throw(error)))
                raise error
        except ConsumerAbort:
            return

    async def _late(self, handed: Awaitable[Chunk]) -> None:
        self.late.append(await handed)

    async def _expect(self, wanted: BaseException | None, leaving: Awaitable[None]) -> None:
        """Note what comes out of a leaving in place of what is wanted."""
        try:
            await leaving
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is about the target
            if error is not wanted:
                self.swallowed = f"{type(error).__name__} came out: {error}"[:200]
        else:
            if wanted is not None and not self.late:  # a chunk in its place has a law of its own
                self.swallowed = "nothing came out"

    # Being interrupted while the target waits

    async def _cancel(self, listening: Listening) -> None:
        reading = asyncio.create_task(self._read_all(listening), name="reader")
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
                    await self._take(listening)

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
            await self._silence(reading)
            if reading.done():
                await reading  # it ended by itself, or failed: there was nothing to leave
                return
            self._leave(listening)
            interrupt()
            await asyncio.wait({reading}, timeout=BOUND)
            self.deaf = not reading.done()
            held = f"the reader was still held after {BOUND:g} s"
            self.swallowed = held if self.deaf else came_out(reading, wanted)
        finally:
            reading.cancel()

    async def _silence(self, reading: asyncio.Task[None]) -> None:
        """Wait until the script is sent and the target waits for what never comes."""
        while not reading.done():
            await asyncio.sleep(SETTLE)
            seen = self._evidence()
            if seen is not None and seen.bytes_sent >= self._length:
                await asyncio.sleep(SETTLE)
                return


@contextmanager
def _started_generators() -> Generator[WeakSet[Any], None, None]:
    """Collect the asynchronous generators this thread starts; they are closed as ever."""
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
    "break": ConsumerProbe._break,  # noqa: SLF001 - the table of this class's own ways
    "aclose": ConsumerProbe._aclose,  # noqa: SLF001 - the same
    "cancel": ConsumerProbe._cancel,  # noqa: SLF001 - the same
    "timeout": ConsumerProbe._timeout,  # noqa: SLF001 - the same
    "throw": ConsumerProbe._throw,  # noqa: SLF001 - the same
}
