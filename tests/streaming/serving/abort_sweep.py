"""Aborts or cancels a run in every way at every moment.

A moment is either an await point, the k-th suspension of the client's coroutine and everything it
awaits, or a frame, the k-th one the client would receive.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from tests.streaming.serving.service_env import Received

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

    from harness.streaming.serving import StreamingService
    from harness.streaming.serving.runs.statuses import StopReason
    from tests.streaming.serving.service_env import ServiceEnv


class ActAtSuspension:
    """Awaits a coroutine and calls something at its k-th suspension.

    ``done`` is whether that suspension was reached.
    """

    def __init__(self, work: Coroutine[Any, Any, None], at: int, action: Callable[[], object]):
        self._work, self._at, self._action = work, at, action
        self._steps = 0

    @property
    def done(self) -> bool:
        return self._steps >= self._at

    def __await__(self) -> Generator[Any, Any, None]:
        resume: Callable[[], Any] = partial(self._work.send, None)
        while True:
            try:
                waited_for = resume()
            except StopIteration:
                return
            self._steps += 1
            if self._steps == self._at:
                self._action()
            try:
                yield waited_for
            except BaseException as error:  # noqa: BLE001 - the coroutine handles it
                resume = partial(self._work.throw, error)
            else:
                resume = partial(self._work.send, None)


async def _client(env: ServiceEnv, service: StreamingService, received: Received) -> None:
    """Read as a web server does: take a frame, wait until it is sent, close on failure."""
    request = env.request(run_id=received.run_id)
    _, frames = await service.stream(request)
    async with aclosing(frames):
        async for frame in frames:
            received.sent.append(frame)
            await asyncio.sleep(0)


async def at_await_point(
    way: str, moment: int, env: ServiceEnv, service: StreamingService, run_id: str
) -> Received | None:
    """Cancel the client's task, or fire the registry; return None if the moment never came."""
    received, task = Received(run_id), asyncio.current_task()
    assert task is not None
    actions: dict[str, Callable[[], object]] = {
        "cancel": task.cancel,
        "fire": partial(env.registry.fire, run_id),
    }
    client = ActAtSuspension(_client(env, service, received), moment, actions[way])
    try:
        await client
    except asyncio.CancelledError:
        task.uncancel()
        received.aborted = True
    return received if client.done else None


async def at_frame(
    way: str, moment: int, env: ServiceEnv, service: StreamingService, run_id: str
) -> Received | None:
    """Close, throw into or drop the frames before the k-th one is read."""
    received, request = Received(run_id), env.request(run_id=run_id)
    _, frames = await service.stream(request)
    while len(received.sent) < moment - 1:
        try:
            received.sent.append(await anext(frames))
        except StopAsyncIteration:
            return None
    received.aborted, received.dropped = "done" not in received.labels, way == "drop"
    if way == "close":
        await frames.aclose()
    elif way == "throw":
        with suppress(KeyError):
            await frames.athrow(KeyError("of the client"))
    return received


WAYS = {
    "cancel": at_await_point,
    "fire": at_await_point,
    "close": at_frame,
    "throw": at_frame,
    "drop": at_frame,
}


async def sweep(env: ServiceEnv, service: StreamingService, way: str, natural: StopReason) -> int:
    """Abort at every moment, check each time, and return the number of moments.

    Args:
        env: what the service was made with.
        service: streams the run.
        way: one of ``WAYS``.
        natural: the stop reason of a run that is not aborted.

    Raises:
        AssertionError: something did not hold after one of them.
    """
    for moment in count(1):
        run_id = f"{way}-{moment}"
        received = await WAYS[way](way, moment, env, service, run_id)
        if received is None:
            return moment - 1
        found = await env.violations(received, _allowed(way, received, natural))
        assert not found, f"{way} at {moment}: {'; '.join(found)}"
    raise AssertionError


def _allowed(way: str, received: Received, natural: StopReason) -> set[StopReason]:
    """A client that aborts at a frame determines the end; at an await point both are possible."""
    if WAYS[way] is at_await_point:
        return {natural, "cancelled"}
    return {"cancelled" if received.reason is None else natural}
