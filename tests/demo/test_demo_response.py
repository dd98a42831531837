"""A client that leaves, at every moment there is: its run ends, by the task that reads it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from harness.demo.streaming_response import StreamingResponse
from harness.streaming.reencoding import reencode
from tests.streaming.databases.servers import until
from tests.streaming.serving.world import SILENCE, Heard, World, text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SCRIPTS: dict[str, list[Any]] = {
    "talks": [text("a"), text("b"), text("c"), "end_turn"],
    "falls silent": [text("a"), SILENCE],
}
LEAVES_S = 0.001  # after the last message it took
AGAIN = range(6)  # messages the client takes before it does what it does


@dataclass
class Client:
    """The other end of ASGI: takes some messages, then leaves, or takes no more and leaves later.

    Args:
        stays: how many messages it takes.
        deaf: whether it takes no more, as one whose window is full, before it leaves.
    """

    stays: int
    deaf: bool = False
    sent: list[dict[str, Any]] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        await asyncio.sleep(0)
        if len(self.sent) < self.stays:
            self.sent.append(message)
            return
        asyncio.get_running_loop().call_later(LEAVES_S, self.left.set)
        if self.deaf:
            await asyncio.Event().wait()

    @property
    def body(self) -> list[bytes]:
        return [message["body"] for message in self.sent if message.get("body")]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    await made.aclose()


@pytest.mark.parametrize("keepalive_s", [None, 3600.0])
@pytest.mark.parametrize("deaf", [False, True], ids=["leaves", "reads no more"])
@pytest.mark.parametrize("script", SCRIPTS)
async def test_a_client_that_leaves_ends_its_run(
    world: World, script: str, keepalive_s: float | None, *, deaf: bool
) -> None:
    for stays in AGAIN:
        run, frames = await world.service(SCRIPTS[script], keepalive_s=keepalive_s).stream(
            world.request(run_id=f"stays-{stays}")
        )
        assert run is not None
        client = Client(stays, deaf=deaf)
        async with asyncio.timeout(5):
            await StreamingResponse(frames, {})({}, client.receive, client.send)
        heard = Heard(run.id, client.body, left=b"data: [DONE]\n\n" not in client.body)
        assert await world.complaints(heard, {"cancelled", "end_turn"}) == []


@pytest.mark.parametrize("stays", AGAIN)
async def test_a_task_that_is_cancelled_is_cancelled_and_so_is_its_run(
    world: World, stays: int
) -> None:
    request = world.request()
    run, frames = await world.service(SCRIPTS["talks"]).stream(request)
    assert run is not None
    client, response = Client(stays, deaf=True), StreamingResponse(frames, {})
    serving = asyncio.create_task(response({}, client.receive, client.send))
    await asyncio.sleep(0)
    await until(lambda: len(client.sent) == stays)
    serving.cancel()
    await asyncio.wait({serving})
    assert serving.cancelled()
    heard = Heard(run.id, client.body, left=True)
    assert await world.complaints(heard, {"cancelled", "end_turn"}) == []


async def test_what_is_told_in_other_words_is_closed_with_its_source(world: World) -> None:
    run, frames = await world.service(SCRIPTS["talks"]).stream(world.request())
    assert run is not None
    told = reencode(frames, model="m", response_id="r", created=0)
    client = Client(0, deaf=True)
    async with asyncio.timeout(5):
        await StreamingResponse(frames, {}, told)({}, client.receive, client.send)
    assert await world.complaints(Heard(run.id, left=True), {"cancelled"}) == []
