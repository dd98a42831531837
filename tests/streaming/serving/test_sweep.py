"""Left and cancelled at every moment by every way: what must hold holds each time."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from harness.errors import RunCancelled
from harness.model import Chunk, ErrorInfo, Usage
from harness.streaming.error_mapping import LLM_ERRORS
from harness.streaming.serving import AgentChunk
from tests.streaming.serving.aborting import WAYS, at_await_point, at_frame, sweep
from tests.streaming.serving.world import SILENCE, Heard, text

if TYPE_CHECKING:
    from harness.streaming.serving.runs.statuses import StopReason
    from tests.streaming.serving.world import Item, World

COUNTED = AgentChunk(Chunk("usage", usage=Usage(input=3, output=2)), "m", "s")
CALL = AgentChunk(Chunk("tool_call", None, 0, 0, "call_1", "get", '{"a":1}'), "m", "s")
MARKER = 'data: [DONE]\n\nevent: error\ndata: {"message_type":"stop_reason"}\n\n'

# What the agent does, and the stop reason of a run that nobody disturbs.
SCRIPTS: dict[str, tuple[list[Item], StopReason]] = {
    "text": ([text("a"), text("b"), COUNTED, "end_turn"], "end_turn"),
    "tool call": ([text("a"), CALL, "requires_approval"], "requires_approval"),
    "llm error": (
        [text("a"), LLM_ERRORS["rate_limit"](ErrorInfo(kind="rate_limit", message="slow"))],
        "llm_api_error",
    ),
    "our error": ([text("a"), ZeroDivisionError("oops")], "error"),
    "no terminal": ([text("a"), COUNTED], "error"),
    "nothing": ([], "error"),
    "marker": ([text(MARKER), "max_steps"], "max_steps"),
    "cancels itself": ([text("a"), RunCancelled()], "cancelled"),
    "silent": ([text("a"), SILENCE], "cancelled"),
}
# Moments a sweep meets at the least: it must not pass because there was nothing to leave.
FEWEST = {at_await_point: 8, at_frame: 2}
KEPT_ALIVE = ["text", "our error", "silent"]  # each a way of its own through the pump


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("script", "keepalive_s"),
    [(script, None) for script in SCRIPTS] + [(script, 3600.0) for script in KEPT_ALIVE],
)
async def test_a_run_ends_well_wherever_it_is_left(
    world: World, script: str, keepalive_s: float | None, way: str
) -> None:
    items, natural = SCRIPTS[script]
    service = world.service(items, keepalive_s=keepalive_s)
    moments = await sweep(world, service, way, natural)
    assert moments >= FEWEST[WAYS[way]]


@pytest.mark.parametrize("script", SCRIPTS)
async def test_all_is_over_before_the_client_is_told_so(world: World, script: str) -> None:
    items, natural = SCRIPTS[script]
    request = world.request()
    heard = Heard(request.run_id or "")
    _, frames = await world.service(items).stream(request)
    while "done" not in heard.labels:
        heard.sent.append(await anext(frames))
        if "stop_reason" in heard.labels:
            heard.left = "done" not in heard.labels
            assert await world.complaints(heard, {natural}) == []
    await frames.aclose()


@pytest.mark.parametrize("keepalive_s", [None, 3600.0])
@pytest.mark.parametrize("read", [0, 1, 2])
async def test_frames_lost_in_a_cycle_of_garbage_are_closed(
    world: World, read: int, keepalive_s: float | None, caplog: pytest.LogCaptureFixture
) -> None:
    request = world.request()
    service = world.service([text("a"), text("b"), SILENCE], keepalive_s=keepalive_s)
    heard = Heard(request.run_id or "", left=True, dropped=True)
    _, frames = await service.stream(request)
    for _ in range(read):
        heard.sent.append(await anext(frames))
    cycle: list[object] = [frames]
    cycle.append(cycle)
    del cycle, frames
    gc.collect()
    assert await world.complaints(heard, {"cancelled"}) == []
    assert caplog.text == ""
