"""How a provider's stream is closed, whatever the SDK calls it and whoever disturbs it.

Rules of this file: an asynchronous stream is closed in the task that reads it; a cancellation that
arrives while it is being closed waits until that is done, because HTTP clients interrupted there
lose a slot of their connection pool (catalogue CA-018; measured with httpx2 2.16); it does not wait
for ever.
"""

from __future__ import annotations

import asyncio
import inspect
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator

    Step: TypeAlias = asyncio.Future[Any] | None  # what a coroutine waits for; None: its next turn

PATIENCE_S = 1.0  # how long a cancellation waits for a stream that is being closed


async def aclose(stream: object) -> Exception | None:
    """Close an asynchronous stream; closing a finished one costs nothing.

    A cancellation that comes meanwhile is raised afterwards (``PATIENCE_S``).

    Returns:
        What the stream raised, which must not hide why it is closed.
    """
    try:
        await Undisturbed(_aclose(stream))
    except Exception as error:  # noqa: BLE001 - returned
        return error
    except BaseExceptionGroup as group:
        return _without_the_closing(group)
    return None


def _without_the_closing(group: BaseExceptionGroup[BaseException]) -> Exception | None:
    """Return what went wrong in a generator that held a task group when it was closed.

    Such a group takes the closing itself for an error of its own (catalogue CA-009).
    """
    _, rest = group.split(GeneratorExit)
    if rest is None or isinstance(rest, Exception):
        return rest
    raise rest


def close(stream: object) -> Exception | None:
    """Close a synchronous stream; return what it raised."""
    closing = getattr(stream, "close", None)
    try:
        if closing is not None:
            closing()
    except Exception as error:  # noqa: BLE001 - returned
        return error
    return None


def release(stream: object) -> None:
    """Wake the thread that reads a synchronous stream; may be called from any other.

    Closing a socket does not wake who waits for it, shutting it down does; the reader then meets
    the end and closes the stream itself. A stream without a socket is closed.
    """
    extensions = getattr(getattr(stream, "response", None), "extensions", {})
    network = extensions.get("network_stream")
    found = None if network is None else network.get_extra_info("socket")
    with suppress(Exception):  # it may have ended by itself, or be running: both will do
        if isinstance(found, socket.socket):
            socket.socket.shutdown(found, socket.SHUT_RDWR)  # as is: the TLS state is the reader's
        else:
            close(stream)


async def _aclose(stream: object) -> None:
    closing = getattr(stream, "aclose", None) or getattr(stream, "close", None)
    if closing is not None:
        done = closing()
        if inspect.isawaitable(done):
            await done


class Undisturbed:
    """Work that is done in this task while a cancellation waits for its end.

    ``asyncio.shield`` would do the work in another task, where a cancel scope that was entered in
    this one cannot be left.

    Args:
        work: what must not be interrupted.
        patience_s: how long a cancellation waits before it goes through to the work.
    """

    def __init__(self, work: Coroutine[Any, Any, None], patience_s: float = PATIENCE_S) -> None:
        self._work, self._patience_s = work, patience_s
        self._waiting: asyncio.CancelledError | None = None
        self._deadline = 0.0  # of the cancellation that waits

    def __await__(self) -> Generator[Any, Any, None]:
        """Do the work; raises what it raises, or the cancellation that waited for it."""
        try:
            step: Step = self._work.send(None)
            while True:
                ended = yield from self._sit_out(step)
                step = self._work.send(None) if ended else self._interrupt()
        except StopIteration:
            if self._waiting is not None:
                raise self._waiting from None
        except Exception as error:
            if self._waiting is not None:
                raise self._waiting from error
            raise

    def _interrupt(self) -> Step:
        interrupted: Step = self._work.throw(asyncio.CancelledError())
        return interrupted

    def _sit_out(self, step: Step) -> Generator[Any, Any, bool]:
        """Wait until a step of the work has ended, or a cancellation has lost its patience."""
        while True:
            try:
                yield from self._next_news(step)
            except asyncio.CancelledError as error:
                if self._waiting is None:
                    self._deadline = asyncio.get_running_loop().time() + self._patience_s
                self._waiting = error
            else:
                return step is None or step.done()

    def _next_news(self, step: Step) -> Generator[Any, Any, None]:
        """Wait for a future of our own: a cancelled task cancels the one it waits for."""
        loop = asyncio.get_running_loop()
        news: asyncio.Future[None] = loop.create_future()

        def wake(*_: object) -> None:
            if not news.done():
                news.set_result(None)

        timer = None if self._waiting is None else loop.call_at(self._deadline, wake)
        if step is None:
            loop.call_soon(wake)
        else:
            step.add_done_callback(wake)
        try:
            yield from news
        finally:
            if timer is not None:
                timer.cancel()
            if step is not None:
                step.remove_done_callback(wake)
