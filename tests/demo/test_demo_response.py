"""A client disconnects at every moment: its run ends, in the task that reads it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from harness.demo.streaming_response import StreamingResponse
from harness.streaming.reencoding import reencode
from tests.streaming.databases.servers import until
from tests.streaming.serving.service_env import SILENCE, Received, ServiceEnv, text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SCRIPTS: dict[str, list[Any]] = {
    "text": [text("a"), text("b"), text("c"), "end_turn"],
    "silent": [text("a"), SILENCE],
}
DISCONNECTS_S = 0.001  # after the last message it accepted
COUNTS = range(6)  # messages the client accepts before it disconnects


@dataclass
class Client:
    """An ASGI server whose client accepts some messages and then disconnects.

    Args:
        accepted: how many messages it accepts.
        blocks: whether it accepts nothing more, as with a full TCP window, before it disconnects.
    """

    accepted: int
    blocks: bool = False
    sent: list[dict[str, Any]] = field(default_factory=list)
    disconnected: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self) -> dict[str, Any]:
        await self.disconnected.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        await asyncio.sleep(0)
        if len(self.sent) < self.accepted:
            self.sent.append(message)
            return
        asyncio.get_running_loop().call_later(DISCONNECTS_S, self.disconnected.set)
        if self.blocks:
            await asyncio.Event().wait()

    @property
    def body(self) -> list[bytes]:
        return [message["body"] for message in self.sent if message.get("body")]


@pytest.fixture
async def env() -> AsyncIterator[ServiceEnv]:
    env = ServiceEnv()
    yield env
    await env.aclose()


@pytest.mark.parametrize("keepalive_s", [None, 3600.0])
@pytest.mark.parametrize("blocks", [False, True], ids=["disconnects", "blocks"])
@pytest.mark.parametrize("script", SCRIPTS)
async def test_a_client_that_disconnects_ends_its_run(
    env: ServiceEnv, script: str, keepalive_s: float | None, *, blocks: bool
) -> None:
    for accepted in COUNTS:
        run, frames = await env.scripted(SCRIPTS[script], keepalive_s=keepalive_s).stream(
            env.request(run_id=f"accepted-{accepted}")
        )
        assert run is not None
        client = Client(accepted, blocks=blocks)
        async with asyncio.timeout(5):
            await StreamingResponse(frames, {})({}, client.receive, client.send)
        received = Received(run.id, client.body, aborted=b"data: [DONE]\n\n" not in client.body)
        assert await env.violations(received, {"cancelled", "end_turn"}) == []


@pytest.mark.parametrize("accepted", COUNTS)
async def test_cancelling_the_task_cancels_its_run(env: ServiceEnv, accepted: int) -> None:
    request = env.request()
    run, frames = await env.scripted(SCRIPTS["text"]).stream(request)
    assert run is not None
    client, response = Client(accepted, blocks=True), StreamingResponse(frames, {})
    serving = asyncio.create_task(response({}, client.receive, client.send))
    await asyncio.sleep(0)
    await until(lambda: len(client.sent) == accepted)
    serving.cancel()
    await asyncio.wait({serving})
    assert serving.cancelled()
    received = Received(run.id, client.body, aborted=True)
    assert await env.violations(received, {"cancelled", "end_turn"}) == []


async def test_reencoded_chunks_are_closed_with_their_source(env: ServiceEnv) -> None:
    run, frames = await env.scripted(SCRIPTS["text"]).stream(env.request())
    assert run is not None
    chunks = reencode(frames, model="m", response_id="r", created=0)
    client = Client(0, blocks=True)
    async with asyncio.timeout(5):
        await StreamingResponse(frames, {}, chunks)({}, client.receive, client.send)
    assert await env.violations(Received(run.id, aborted=True), {"cancelled"}) == []
