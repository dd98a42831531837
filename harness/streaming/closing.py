"""Closing streams, and waiting for the tasks that read them, on every path.

SDKs name the method that closes a stream differently; ``aclose`` and ``close`` try each name.

Rules of this file: an asynchronous stream is closed in the task that reads it; a cancellation that
arrives while it is being closed waits until that is done, for a limited time, because an HTTP
client interrupted there loses a slot of its connection pool (catalogue CA-018; measured with httpx2
2.16).
"""

from __future__ import annotations

import asyncio
import inspect
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Generator

    # What a coroutine waits for; None: the next iteration of the event loop.
    Step: TypeAlias = asyncio.Future[Any] | None

GRACE_S = 1.0  # how long a cancellation waits for a stream that is being closed


async def aclose(stream: object) -> Exception | None:
    """Close an asynchronous stream; closing a finished one costs nothing.

    A cancellation that arrives meanwhile is raised afterwards (``GRACE_S``).

    Returns:
        The exception that closing raised: it must not hide the reason for closing.
    """
    try:
        await DeferCancellation(_aclose(stream))
    except Exception as error:  # noqa: BLE001 - returned
        return error
    except BaseExceptionGroup as group:
        return _without_generator_exit(group)
    return None


def _without_generator_exit(group: BaseExceptionGroup[BaseException]) -> Exception | None:
    """Return what else failed in a generator that was closed while it held a task group.

    Such a group reports the closing itself as one of its errors (catalogue CA-009).
    """
    _, rest = group.split(GeneratorExit)
    if rest is None or isinstance(rest, Exception):
        return rest
    raise rest


def close(stream: object) -> Exception | None:
    """Close a synchronous stream; return the exception that closing raised."""
    closing = getattr(stream, "close", None)
    try:
        if closing is not None:
            closing()
    except Exception as error:  # noqa: BLE001 - returned
        return error
    return None


def wake_reader(stream: object) -> None:
    """Wake the thread that reads a synchronous stream; may be called from any other thread.

    Closing a socket does not wake a thread that waits for it, shutting it down does; the reader
    then sees the end of the stream and closes it itself. A stream without a socket is closed.
    """
    extensions = getattr(getattr(stream, "response", None), "extensions", {})
    network = extensions.get("network_stream")
    raw = None if network is None else network.get_extra_info("socket")
    with suppress(Exception):  # it may have ended, or be running: both are fine
        if isinstance(raw, socket.socket):
            socket.socket.shutdown(
                raw, socket.SHUT_RDWR
            )  # below TLS: its state belongs to the reader
        else:
            close(stream)


async def _aclose(stream: object) -> None:
    closing = getattr(stream, "aclose", None) or getattr(stream, "close", None)
    if closing is not None:
        done = closing()
        if inspect.isawaitable(done):
            await done


async def close_source(source: AsyncIterator[object]) -> None:
    """Close an iterator of our own that has ``aclose``; closing a finished one costs nothing.

    Raises:
        Exception: whatever its clean-up raised.
    """
    close_it = getattr(source, "aclose", None)
    if close_it is not None:
        await close_it()


async def joined(task: asyncio.Task[Any]) -> None:
    """Wait until a task is done, and ignore its result or exception.

    A cancellation of the caller is passed to the task and raised once the task is done, so no task
    outlives its owner.

    Raises:
        CancelledError: the caller was cancelled.
    """
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
            task.cancel()
    if cancelled is not None:
        raise cancelled


class DeferCancellation:
    """An awaitable that runs a coroutine in this task and holds cancellations back until it ends.

    ``asyncio.shield`` would run it in another task, and an anyio cancel scope must be exited in the
    task that entered it.

    Args:
        work: the coroutine that must not be interrupted.
        grace_s: how long a cancellation is held back before it is passed to the coroutine.
    """

    def __init__(self, work: Coroutine[Any, Any, None], grace_s: float = GRACE_S) -> None:
        self._work, self._grace_s = work, grace_s
        self._pending: asyncio.CancelledError | None = None
        self._deadline = 0.0  # of the pending cancellation

    def __await__(self) -> Generator[Any, Any, None]:
        """Run the coroutine; raises what it raises, or the cancellation that was held back."""
        try:
            step: Step = self._work.send(None)
            while True:
                finished = yield from self._wait_for(step)
                step = self._work.send(None) if finished else self._interrupt()
        except StopIteration:
            if self._pending is not None:
                raise self._pending from None
        except Exception as error:
            if self._pending is not None:
                raise self._pending from error
            raise

    def _interrupt(self) -> Step:
        interrupted: Step = self._work.throw(asyncio.CancelledError())
        return interrupted

    def _wait_for(self, step: Step) -> Generator[Any, Any, bool]:
        """Wait for a step of the coroutine; False where a pending cancellation timed out first."""
        while True:
            try:
                yield from self._wake_up(step)
            except asyncio.CancelledError as error:
                if self._pending is None:
                    self._deadline = asyncio.get_running_loop().time() + self._grace_s
                self._pending = error
            else:
                return step is None or step.done()

    def _wake_up(self, step: Step) -> Generator[Any, Any, None]:
        """Wait for a future of our own: cancelling a task cancels the future it waits for."""
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()

        def wake(*_: object) -> None:
            if not woken.done():
                woken.set_result(None)

        timer = None if self._pending is None else loop.call_at(self._deadline, wake)
        if step is None:
            loop.call_soon(wake)
        else:
            step.add_done_callback(wake)
        try:
            yield from woken
        finally:
            if timer is not None:
                timer.cancel()
            if step is not None:
                step.remove_done_callback(wake)
