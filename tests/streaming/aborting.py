"""Ways to leave a stream before its end, and what may be held against one who was left.

A provider speaks the first events of an answer and then falls silent, over a real socket and
through the real SDK. ``leave`` leaves at that moment, or at a chunk; ``faults`` judges what came of
it by IV-002, IV-006 and IV-007 and the catalogue's CA cases, knowing nothing of our classes.
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

    Act = Callable[["Leaving"], Awaitable[None]]

IMPORT_S = 5.0  # what importing an SDK may take before its first request
BOUND_S = 0.25  # what the server may take to notice, on a busy machine; it took 1 ms

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


class Boom(Exception):  # noqa: N818 - what a consumer throws, no error of ours
    """What a consumer throws into the chunks."""


def frames(name: str) -> tuple[bytes, ...]:
    """Return the answer as its provider sends it."""
    spoken = protocol(name)
    return tuple(spoken.frame(event) for event in spoken.encode(ANSWER, IN_ORDER))


def silent_after(name: str, events: int) -> Script:
    """Return the answer that falls silent after some events."""
    return Script(frames(name)[:events], end="stall")


@dataclass
class Leaving:
    """One consumer that leaves.

    Args:
        chunks: what it reads.
        signal: what may be fired.
    """

    chunks: AsyncGenerator[Chunk, None]
    signal: CancelSignal
    got: list[Chunk] = field(default_factory=list)
    late: list[Chunk] = field(default_factory=list)  # what came after it had left
    raised: BaseException | None = None
    task: asyncio.Task[None] | None = None
    deadline: asyncio.Timeout = field(default_factory=lambda: asyncio.timeout(None))


class Left(NamedTuple):
    """What came of it."""

    got: list[Chunk]  # before it left
    late: list[Chunk]  # afterwards
    raised: BaseException | None
    outcome: Outcome
    flag: bool  # diagnostics.cancelled
    events: int  # that were taken
    sent: int  # events the provider sent
    closed_by: str | None  # as the provider saw it, at most BOUND_S later
    tasks: int  # left behind


# While the provider is silent: the consumer waits for a chunk.


async def _fire(leaving: Leaving) -> None:
    leaving.signal.fire()


async def _fire_from_a_thread(leaving: Leaving) -> None:
    thread = threading.Thread(target=leaving.signal.fire)
    thread.start()
    thread.join()


async def _cancel_task(leaving: Leaving) -> None:
    assert leaving.task is not None
    leaving.task.cancel()


async def _time_out(leaving: Leaving) -> None:
    leaving.deadline.reschedule(0)


async def _cancel_twice(leaving: Leaving) -> None:
    for _ in range(3):
        await _cancel_task(leaving)
        await asyncio.sleep(0)


async def _fire_and_cancel(leaving: Leaving) -> None:
    leaving.signal.fire()
    await _cancel_task(leaving)


WAITING: dict[str, tuple[Act, type[BaseException] | None]] = {
    "signal": (_fire, None),
    "signal from a thread": (_fire_from_a_thread, None),
    "task cancel": (_cancel_task, asyncio.CancelledError),
    "timeout": (_time_out, TimeoutError),
    "cancel again during clean-up": (_cancel_twice, asyncio.CancelledError),
    "signal and cancel": (_fire_and_cancel, asyncio.CancelledError),
}


# At a chunk: the consumer holds one and asks for no other.


async def _aclose(leaving: Leaving) -> None:
    await leaving.chunks.aclose()
    leaving.late += [chunk async for chunk in leaving.chunks]


async def _break(leaving: Leaving) -> None:
    """Leave by the block around the loop, which closes the chunks."""


async def _throw(leaving: Leaving) -> None:
    leaving.late.append(await leaving.chunks.athrow(Boom()))


async def _raise(_: Leaving) -> None:
    raise Boom


async def _fire_and_read_on(leaving: Leaving) -> None:
    leaving.signal.fire()
    leaving.late += [chunk async for chunk in leaving.chunks]


async def _cancelled_at_work(_: Leaving) -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(0)


async def _cancelled_again(_: Leaving) -> None:
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None

    def again(times: int) -> None:
        task.cancel()
        if times:
            loop.call_soon(again, times - 1)

    again(5)
    await asyncio.sleep(0)


AT_A_CHUNK: dict[str, tuple[Act, type[BaseException] | None]] = {
    "aclose": (_aclose, None),
    "break": (_break, None),
    "throw": (_throw, Boom),
    "exception of the consumer": (_raise, Boom),
    "signal": (_fire_and_read_on, None),
    "task cancel": (_cancelled_at_work, asyncio.CancelledError),
    "cancel again during clean-up": (_cancelled_again, asyncio.CancelledError),
}


async def leave_waiting(leaving: Leaving, act: Act, silent: Callable[[], bool]) -> None:
    """Read until the provider is silent, then leave."""

    async def read() -> None:
        async with leaving.deadline, aclosing(leaving.chunks):
            async for chunk in leaving.chunks:
                (leaving.late if acted else leaving.got).append(chunk)

    acted = False
    leaving.task = asyncio.create_task(read())
    await until(silent, IMPORT_S)
    await _at_rest(lambda: len(leaving.got))
    acted = True
    await act(leaving)
    done, _ = await asyncio.wait([leaving.task], timeout=BOUND_S)
    leaving.raised = _raised(leaving.task) if done else TimeoutError("it still waits")
    if not done:
        leaving.task.cancel()


async def leave_at_a_chunk(leaving: Leaving, act: Act, number: int) -> None:
    """Read that many chunks, then leave."""

    async def read() -> None:
        async with aclosing(leaving.chunks):
            async for chunk in leaving.chunks:
                leaving.got.append(chunk)
                if len(leaving.got) == number:
                    await act(leaving)
                    break

    leaving.task = asyncio.create_task(read())
    await asyncio.wait([leaving.task])
    leaving.raised = _raised(leaving.task)


async def until(true: Callable[[], bool], seconds: float = BOUND_S) -> bool:
    """Wait for something to become true; tell whether it did."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not true() and loop.time() < end:  # noqa: ASYNC110 - what is awaited tells nobody
        await asyncio.sleep(0.001)
    return true()


async def _at_rest(count: Callable[[], int]) -> None:
    """Wait until something no longer grows: what was sent has been read."""
    before = -1
    while count() != before:
        before = count()
        await asyncio.sleep(0.003)


async def tasks_since(before: set[asyncio.Task[Any]]) -> int:
    """Return how many tasks stay behind; the loop closes the SDKs' own generators in tasks."""

    def left() -> set[asyncio.Task[Any]]:
        return asyncio.all_tasks() - before

    await until(lambda: not left())
    return len(left())


async def closed_by(stage: ResponseRegistry, key: str) -> str | None:
    """Return who left the newest exchange, as the provider saw it."""
    await until(lambda: stage.exchanges(key)[-1].closed_by is not None)
    return stage.exchanges(key)[-1].closed_by


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
    gc.freeze()  # so that collecting costs nothing but what the block left behind
    try:
        yield abandoned
        gc.collect()
    finally:
        gc.unfreeze()
        sys.set_asyncgen_hooks(*before)


def faults(left: Left, raises: type[BaseException] | None, *, told: bool) -> list[str]:
    """Say what is wrong with how a stream was left.

    Args:
        left: what came of it.
        raises: the class of what must come out of it.
        told: whether a signal ended it, so that the end has to be told in chunks.
    """
    rules = {
        f"raised {left.raised!r}": _is_a(left.raised, raises),
        f"the outcome says {left.outcome.finish}, {left.outcome.ending}": (
            (left.outcome.finish, left.outcome.ending) == ("cancelled", "cancelled")
        ),
        "the flag was not set": left.flag,
        f"chunks after leaving: {[chunk.kind for chunk in left.late]}": _is_end(left, told=told),
        f"{left.events} events taken of {left.sent}": left.events <= left.sent,
        f"its chunks {_summed(left.got)} are not its content {_content(left.outcome)}": (
            _summed(left.got).items() <= _content(left.outcome).items()
            and _told(left.outcome) <= _summed(left.got).keys()
        ),
        "its chunks are not those of its outcome": (
            [*left.got, *left.late] == list(left.outcome.chunks)
        ),
        f"the provider saw {left.closed_by} leave": left.closed_by == "client",
        f"{left.tasks} tasks left behind": left.tasks == 0,
        "partial usage is not called so": (
            left.outcome.usage is None or "usage_partial" in left.outcome.notes or _finished(left)
        ),
    }
    return [fault for fault, holds in rules.items() if not holds]


def _is_a(raised: BaseException | None, expected: type[BaseException] | None) -> bool:
    return raised is None if expected is None else type(raised) is expected


def _is_end(left: Left, *, told: bool) -> bool:
    """Whether the last chunks tell the cancellation once, and nothing else."""
    if not told:
        return not left.late
    usage = [] if left.outcome.usage is None else [Chunk("usage", usage=left.outcome.usage)]
    return left.late == [Chunk("stop_reason", finish="cancelled"), *usage]


def _finished(left: Left) -> bool:
    return left.outcome.finish_raw is not None


def _summed(chunks: list[Chunk]) -> dict[str, str]:
    summed: dict[str, str] = {}
    for chunk in chunks:
        place = chunk.kind if chunk.index is None else f"call {chunk.index}"
        words = (chunk.name or "") + (chunk.text or "") + (chunk.arguments or "")
        summed[place] = summed.get(place, "") + words
    return summed


def _content(outcome: Outcome) -> dict[str, str]:
    words = {"reasoning": outcome.reasoning, "text": outcome.text}
    calls = {
        f"call {n}": f"{call.name}{call.arguments_raw}" for n, call in enumerate(outcome.tool_calls)
    }
    return {**{kind: said for kind, said in words.items() if said}, **calls}


def _told(outcome: Outcome) -> set[str]:
    """Return what must have been shown: all but a call whose name may still be growing (D25)."""
    growing = {f"call {n}" for n, call in enumerate(outcome.tool_calls) if not call.arguments_raw}
    return _content(outcome).keys() - growing


def _raised(task: asyncio.Task[None]) -> BaseException | None:
    return asyncio.CancelledError() if task.cancelled() else task.exception()
