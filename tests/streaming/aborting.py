"""Ways to abort a stream, and a check of the result that knows nothing of our classes.

A provider sends the first events of an answer and then stays silent, over a real socket and through
the real SDK. ``abort_while_silent`` and ``abort_at_chunk`` abort the stream; ``faults`` checks the
result against IV-002, IV-006, IV-007 and the catalogue's CA cases.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.model import Chunk, Outcome, Reasoning, Text, ToolCall, Usage
from harness.protocols import protocol
from harness.protocols.message import IN_ORDER, Message
from harness.wire.script import Script

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator

    from harness.playback.response_registry import ResponseRegistry
    from harness.streaming.cancellation import CancelSignal

    Act = Callable[["Consumer"], Awaitable[None]]

IMPORT_S = 5.0  # the time that importing an SDK may take before its first request
BOUND_S = 0.25  # the time the server may take to notice, on a busy machine; it took 1 ms

ANSWER = Message(
    content=(
        Reasoning(text="Let me"),
        Text(text="Hello you"),
        *(
            ToolCall(
                id=f"call_{n}",
                name="get",
                arguments_raw=f'{{"a": {n}}}',
                arguments={"a": n},
                complete=True,
            )
            for n in range(2)
        ),
    ),
    finish="tool_calls",
    usage=Usage(input=10, output=5, total=15),
)


class Boom(Exception):  # noqa: N818 - thrown by a consumer, not one of our errors
    """An exception that a consumer throws into the chunks."""


def frames(name: str) -> tuple[bytes, ...]:
    """Return the answer as its provider sends it."""
    wire = protocol(name)
    return tuple(wire.frame(event) for event in wire.encode(ANSWER, IN_ORDER))


def silent_after(name: str, events: int) -> Script:
    """Return the answer that stays silent after some events."""
    return Script(frames(name)[:events], end="stall")


@dataclass
class Consumer:
    """A consumer that aborts.

    Args:
        chunks: the chunks it reads.
        signal: the signal that may be fired.
    """

    chunks: AsyncGenerator[Chunk, None]
    signal: CancelSignal
    got: list[Chunk] = field(default_factory=list)
    late: list[Chunk] = field(default_factory=list)  # received after the abort
    raised: BaseException | None = None
    task: asyncio.Task[None] | None = None
    deadline: asyncio.Timeout = field(default_factory=lambda: asyncio.timeout(None))


class AbortResult(NamedTuple):
    """The result of an abort."""

    got: list[Chunk]  # before the abort
    late: list[Chunk]  # after it
    raised: BaseException | None
    outcome: Outcome
    flag: bool  # diagnostics.cancelled
    events: int  # read by the interface
    sent: int  # events the provider sent
    closed_by: str | None  # as the provider saw it, at most BOUND_S later
    tasks: int  # that still run


# While the provider is silent: the consumer waits for a chunk.


async def _fire(consumer: Consumer) -> None:
    consumer.signal.fire()


async def _fire_from_a_thread(consumer: Consumer) -> None:
    thread = threading.Thread(target=consumer.signal.fire)
    thread.start()
    thread.join()


async def _cancel_task(consumer: Consumer) -> None:
    assert consumer.task is not None
    consumer.task.cancel()


async def _time_out(consumer: Consumer) -> None:
    consumer.deadline.reschedule(0)


async def _cancel_twice(consumer: Consumer) -> None:
    for _ in range(3):
        await _cancel_task(consumer)
        await asyncio.sleep(0)


async def _fire_and_cancel(consumer: Consumer) -> None:
    consumer.signal.fire()
    await _cancel_task(consumer)


WHILE_SILENT: dict[str, tuple[Act, type[BaseException] | None]] = {
    "signal": (_fire, None),
    "signal from a thread": (_fire_from_a_thread, None),
    "task cancel": (_cancel_task, asyncio.CancelledError),
    "timeout": (_time_out, TimeoutError),
    "cancel again during clean-up": (_cancel_twice, asyncio.CancelledError),
    "signal and cancel": (_fire_and_cancel, asyncio.CancelledError),
}


# At a chunk: the consumer has one and requests no other.


async def _aclose(consumer: Consumer) -> None:
    await consumer.chunks.aclose()
    consumer.late += [chunk async for chunk in consumer.chunks]


async def _break(consumer: Consumer) -> None:
    """Abort by ``break``; the block around the loop closes the chunks."""


async def _throw(consumer: Consumer) -> None:
    consumer.late.append(await consumer.chunks.athrow(Boom()))


async def _raise(_: Consumer) -> None:
    raise Boom


async def _fire_and_read_on(consumer: Consumer) -> None:
    consumer.signal.fire()
    consumer.late += [chunk async for chunk in consumer.chunks]


async def _cancelled_at_work(_: Consumer) -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(0)


async def _cancelled_again(_: Consumer) -> None:
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None

    def again(times: int) -> None:
        task.cancel()
        if times:
            loop.call_soon(again, times - 1)

    again(5)
    await asyncio.sleep(0)


AT_CHUNK: dict[str, tuple[Act, type[BaseException] | None]] = {
    "aclose": (_aclose, None),
    "break": (_break, None),
    "throw": (_throw, Boom),
    "exception of the consumer": (_raise, Boom),
    "signal": (_fire_and_read_on, None),
    "task cancel": (_cancelled_at_work, asyncio.CancelledError),
    "cancel again during clean-up": (_cancelled_again, asyncio.CancelledError),
}


async def abort_while_silent(consumer: Consumer, act: Act, silent: Callable[[], bool]) -> None:
    """Read until the provider is silent, then abort."""

    async def read() -> None:
        async with consumer.deadline, aclosing(consumer.chunks):
            async for chunk in consumer.chunks:
                (consumer.late if acted else consumer.got).append(chunk)

    acted = False
    consumer.task = asyncio.create_task(read())
    await until(silent, IMPORT_S)
    await _at_rest(lambda: len(consumer.got))
    acted = True
    await act(consumer)
    done, _ = await asyncio.wait([consumer.task], timeout=BOUND_S)
    consumer.raised = _raised(consumer.task) if done else TimeoutError("it still waits")
    if not done:
        consumer.task.cancel()


async def abort_at_chunk(consumer: Consumer, act: Act, number: int) -> None:
    """Read that many chunks, then abort."""

    async def read() -> None:
        async with aclosing(consumer.chunks):
            async for chunk in consumer.chunks:
                consumer.got.append(chunk)
                if len(consumer.got) == number:
                    await act(consumer)
                    break

    consumer.task = asyncio.create_task(read())
    await asyncio.wait([consumer.task])
    consumer.raised = _raised(consumer.task)


async def until(true: Callable[[], bool], seconds: float = BOUND_S) -> bool:
    """Wait for something to become true; return whether it did."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not true() and loop.time() < end:  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(0.001)
    return true()


async def _at_rest(count: Callable[[], int]) -> None:
    """Wait until a count no longer grows: everything sent has been read."""
    before = -1
    while count() != before:
        before = count()
        await asyncio.sleep(0.003)


async def tasks_left(before: set[asyncio.Task[Any]]) -> int:
    """Return how many new tasks still run; the loop closes the SDKs' own generators in tasks."""

    def remaining() -> set[asyncio.Task[Any]]:
        return asyncio.all_tasks() - before

    await until(lambda: not remaining())
    return len(remaining())


async def closed_by(registry: ResponseRegistry, key: str) -> str | None:
    """Return who closed the newest exchange, as the provider saw it."""
    await until(lambda: registry.exchanges(key)[-1].closed_by is not None)
    return registry.exchanges(key)[-1].closed_by


@contextmanager
def watching_generators() -> Iterator[list[str]]:
    """Collect the names of our asynchronous generators that the garbage collector has to close."""
    before, abandoned = sys.get_asyncgen_hooks(), list[str]()

    def finalize(generator: Any) -> None:
        if "/harness/streaming/" in generator.ag_code.co_filename:
            abandoned.append(generator.__qualname__)
        if before.finalizer is not None:
            before.finalizer(generator)

    sys.set_asyncgen_hooks(before.firstiter, finalize)
    gc.freeze()  # so that only objects made in the block are collected
    try:
        yield abandoned
        gc.collect()
    finally:
        gc.unfreeze()
        sys.set_asyncgen_hooks(*before)


def faults(
    result: AbortResult, raises: type[BaseException] | None, *, signalled: bool
) -> list[str]:
    """Return what is wrong with an aborted stream.

    Args:
        result: the result of the abort.
        raises: the class of the exception that must be raised, if any.
        signalled: whether a signal ended it, so that the last chunks report the end.
    """
    rules = {
        f"raised {result.raised!r}": _is_a(result.raised, raises),
        f"the outcome has {result.outcome.finish}, {result.outcome.ending}": (
            (result.outcome.finish, result.outcome.ending) == ("cancelled", "cancelled")
        ),
        "the flag was not set": result.flag,
        f"chunks after the abort: {[chunk.kind for chunk in result.late]}": _is_end(
            result, signalled=signalled
        ),
        f"{result.events} events read of {result.sent}": result.events <= result.sent,
        f"its chunks {_summed(result.got)} are not its content {_content(result.outcome)}": (
            _summed(result.got).items() <= _content(result.outcome).items()
            and _must_be_emitted(result.outcome) <= _summed(result.got).keys()
        ),
        "its chunks are not those of its outcome": (
            [*result.got, *result.late] == list(result.outcome.chunks)
        ),
        f"the provider saw {result.closed_by} close": result.closed_by == "client",
        f"{result.tasks} tasks still run": result.tasks == 0,
        "partial usage is not noted": (
            result.outcome.usage is None
            or "usage_partial" in result.outcome.notes
            or _finished(result)
        ),
    }
    return [fault for fault, holds in rules.items() if not holds]


def _is_a(raised: BaseException | None, expected: type[BaseException] | None) -> bool:
    return raised is None if expected is None else type(raised) is expected


def _is_end(result: AbortResult, *, signalled: bool) -> bool:
    """Whether the last chunks report the cancellation once, and nothing else."""
    if not signalled:
        return not result.late
    usage = [] if result.outcome.usage is None else [Chunk("usage", usage=result.outcome.usage)]
    return result.late == [Chunk("stop_reason", finish="cancelled"), *usage]


def _finished(result: AbortResult) -> bool:
    return result.outcome.finish_raw is not None


def _summed(chunks: list[Chunk]) -> dict[str, str]:
    summed: dict[str, str] = {}
    for chunk in chunks:
        key = chunk.kind if chunk.index is None else f"call {chunk.index}"
        text = (chunk.name or "") + (chunk.text or "") + (chunk.arguments or "")
        summed[key] = summed.get(key, "") + text
    return summed


def _content(outcome: Outcome) -> dict[str, str]:
    texts = {"reasoning": outcome.reasoning, "text": outcome.text}
    calls = {
        f"call {n}": f"{call.name}{call.arguments_raw}" for n, call in enumerate(outcome.tool_calls)
    }
    return {**{kind: text for kind, text in texts.items() if text}, **calls}


def _must_be_emitted(outcome: Outcome) -> set[str]:
    """Return what must have been emitted: not a call whose name may still grow (D25)."""
    growing = {f"call {n}" for n, call in enumerate(outcome.tool_calls) if not call.arguments_raw}
    return _content(outcome).keys() - growing


def _raised(task: asyncio.Task[None]) -> BaseException | None:
    return asyncio.CancelledError() if task.cancelled() else task.exception()
