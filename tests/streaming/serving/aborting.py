"""Every way a run can be left or cancelled, at every moment there is.

A moment is either an await point, the k-th suspension of the client's coroutine and all it awaits,
or a frame, the k-th one the client would be given.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from tests.streaming.serving.world import Heard

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

    from harness.streaming.serving import StreamingService
    from harness.streaming.serving.runs.statuses import StopReason
    from tests.streaming.serving.world import World


class Stepped:
    """Awaits a coroutine and does something at its k-th suspension.

    ``done`` tells whether it came to that.
    """

    def __init__(self, work: Coroutine[Any, Any, None], at: int, deed: Callable[[], object]):
        self._work, self._at, self._deed = work, at, deed
        self._steps = 0

    @property
    def done(self) -> bool:
        return self._steps >= self._at

    def __await__(self) -> Generator[Any, Any, None]:
        go_on: Callable[[], Any] = partial(self._work.send, None)
        while True:
            try:
                waited_for = go_on()
            except StopIteration:
                return
            self._steps += 1
            if self._steps == self._at:
                self._deed()
            try:
                yield waited_for
            except BaseException as error:  # noqa: BLE001 - it is the coroutine's to handle
                go_on = partial(self._work.throw, error)
            else:
                go_on = partial(self._work.send, None)


async def _client(world: World, service: StreamingService, heard: Heard) -> None:
    """Read as a web server does: take a piece, wait until it is sent, close where that fails."""
    request = world.request(run_id=heard.run_id)
    _, frames = await service.stream(request)
    async with aclosing(frames):
        async for piece in frames:
            heard.sent.append(piece)
            await asyncio.sleep(0)


async def at_await_point(
    way: str, moment: int, world: World, service: StreamingService, run_id: str
) -> Heard | None:
    """Cancel the client's task, or fire the registry; None where the moment never came."""
    heard, task = Heard(run_id), asyncio.current_task()
    assert task is not None
    deeds: dict[str, Callable[[], object]] = {
        "cancel": task.cancel,
        "fire": partial(world.registry.fire, run_id),
    }
    client = Stepped(_client(world, service, heard), moment, deeds[way])
    try:
        await client
    except asyncio.CancelledError:
        task.uncancel()
        heard.left = True
    return heard if client.done else None


async def at_frame(
    way: str, moment: int, world: World, service: StreamingService, run_id: str
) -> Heard | None:
    """Close, throw or drop the frames before the one of that number is read."""
    heard, request = Heard(run_id), world.request(run_id=run_id)
    _, frames = await service.stream(request)
    while len(heard.sent) < moment - 1:
        try:
            heard.sent.append(await anext(frames))
        except StopAsyncIteration:
            return None
    heard.left, heard.dropped = "done" not in heard.labels, way == "drop"
    if way == "close":
        await frames.aclose()
    elif way == "throw":
        with suppress(KeyError):
            await frames.athrow(KeyError("the client's own"))
    return heard


WAYS = {
    "cancel": at_await_point,
    "fire": at_await_point,
    "close": at_frame,
    "throw": at_frame,
    "drop": at_frame,
}


async def sweep(world: World, service: StreamingService, way: str, natural: StopReason) -> int:
    """Leave at every moment, judge each time, and return how many moments there were.

    Raises:
        AssertionError: something did not hold after one of them.
    """
    for moment in count(1):
        run_id = f"{way}-{moment}"
        heard = await WAYS[way](way, moment, world, service, run_id)
        if heard is None:
            return moment - 1
        found = await world.complaints(heard, _allowed(way, heard, natural))
        assert not found, f"{way} at {moment}: {'; '.join(found)}"
    raise AssertionError


def _allowed(way: str, heard: Heard, natural: StopReason) -> set[StopReason]:
    """A client that left at a frame knows what the run was at; at an await point either may be."""
    if WAYS[way] is at_await_point:
        return {natural, "cancelled"}
    return {"cancelled" if heard.reason is None else natural}
