"""``builtin-sync`` ends its reading thread and its iterator when the consumer aborts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from harness.protocols import NAMES
from harness.targets.resolving import resolve
from tests.targets.streams import TEXT

if TYPE_CHECKING:
    from harness.playback.response_registry import ResponseRegistry
    from harness.sdks.clients import SdkClients
    from harness.targets.base import Call
    from tests.targets.conftest import Serve

# Entries of TEXT up to its first delta; after them the stream stalls.
STALLS_AFTER = {
    "openai_responses": 2,
    "openai_chat": 2,
    "anthropic_messages": 3,
    "gemini_generate": 1,
}
GUARD_S = 30  # a reading thread that is never woken fails the test instead of blocking it


@pytest.fixture
def stalled(serve: Serve, name: str) -> Call:
    """Return a call whose stream stalls after its first delta."""
    return serve(name, TEXT[name][: STALLS_AFTER[name]], end="stall")


@pytest.mark.parametrize("name", NAMES)
async def test_cancellation_wakes_the_reading_thread(
    stalled: Call, registry: ResponseRegistry, clients: SdkClients
) -> None:
    listening = resolve("builtin-sync", clients).listen(stalled)
    arrived = asyncio.Event()

    async def read() -> None:
        async with listening:
            async for chunk in listening:
                if chunk.kind == "text":
                    arrived.set()

    reading = asyncio.create_task(read())
    async with asyncio.timeout(GUARD_S):
        await arrived.wait()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
    assert (listening.outcome().finish, listening.outcome().ending) == ("cancelled", "cancelled")
    key = stalled.base_url.rpartition("/")[2]
    assert registry.exchanges(key)[-1].closed_by == "client"


@pytest.mark.parametrize("name", [name for name in NAMES if name != "gemini_generate"])
async def test_an_abort_before_the_first_chunk_closes_the_response(
    stalled: Call, registry: ResponseRegistry, clients: SdkClients
) -> None:
    async with resolve("builtin-sync", clients).listen(stalled):
        pass  # google-genai makes its request with the first step, so it has no response yet
    key = stalled.base_url.rpartition("/")[2]
    assert registry.exchanges(key)[-1].closed_by == "client"


@pytest.mark.parametrize("name", NAMES)
async def test_breaking_out_closes_the_iterator(stalled: Call, clients: SdkClients) -> None:
    listening = resolve("builtin-sync", clients).listen(stalled)
    async with asyncio.timeout(GUARD_S), listening:
        iterator: Any = aiter(listening)
        while (await anext(iterator)).kind != "text":
            pass
    assert iterator.ag_frame is None, "the generator is still suspended"
    assert listening.outcome().ending == "cancelled"
