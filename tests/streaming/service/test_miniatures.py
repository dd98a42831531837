"""Services with one sin each, as the first implementation had them: the sweep has to catch them."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest

from harness.streaming.cancellation import CancellationRegistry, CancelSignal
from harness.streaming.service import StreamingService, StreamRequest
from tests.streaming.service.leaving import sweep
from tests.streaming.service.world import SILENCE, text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from harness.streaming.runs.store import Run
    from tests.streaming.service.world import World

Streamed = tuple["Run | None", "AsyncGenerator[bytes, None]"]


class StaleChunk(StreamingService):
    """D70: after the cancellation's stop reason comes one more chunk, and ``[DONE]`` is lost."""

    async def stream(self, request: StreamRequest) -> Streamed:
        run, frames = await super().stream(request)
        return run, self._stale(frames)

    async def _stale(self, frames: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        last = b""
        async with aclosing(frames):
            async for piece in frames:
                yield piece
                if b'"cancelled"' in piece:
                    yield last
                    return
                last = piece


class Remembering(CancellationRegistry):
    """D73: a run that is over keeps its signal."""

    def remove(self, run_id: str, signal: CancelSignal | None = None) -> None:
        """Forget nothing."""


ABANDONED: list[AsyncGenerator[bytes, None]] = []


class Forgetful(StreamingService):
    """D77: a client that leaves ends what it reads, and nobody ends the run."""

    async def stream(self, request: StreamRequest) -> Streamed:
        run, frames = await super().stream(request)
        ABANDONED.append(frames)
        return run, self._passed_on(frames)

    async def _passed_on(self, frames: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        async for piece in frames:
            yield piece


class Swallowing(StreamingService):
    """Catalogue CA-013: a cancelled client ends as if nothing had happened, without a terminal."""

    async def stream(self, request: StreamRequest) -> Streamed:
        run, frames = await super().stream(request)
        return run, self._quiet(frames)

    async def _quiet(self, frames: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        async with aclosing(frames):
            try:
                async for piece in frames:
                    yield piece
            except BaseException as error:
                if isinstance(error, GeneratorExit):
                    raise


SINS: dict[str, tuple[dict[str, Any], str, str]] = {
    "D70": ({"made": StaleChunk}, "fire", "frames: .*message"),
    "D73": ({"registry": Remembering()}, "close", "the registry remembers the run"),
    "D77": ({"made": Forgetful}, "close", "the run is (created|running).*conversation is held"),
    "CA-013": ({"made": Swallowing}, "cancel", "frames: .*end"),
}


@pytest.mark.parametrize("sin", SINS)
async def test_the_sweep_catches(world: World, sin: str) -> None:
    parts, way, complaint = SINS[sin]
    world.registry = parts.get("registry", world.registry)
    service = world.service([text("a"), text("b"), SILENCE], **parts)
    try:
        with pytest.raises(AssertionError, match=complaint):
            await sweep(world, service, way, "cancelled")
    finally:
        while ABANDONED:
            await ABANDONED.pop().aclose()
