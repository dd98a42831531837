"""A run is aborted or cancelled in every way at every moment; the checks pass each time."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from harness.errors import RunCancelled
from harness.model import Chunk, ErrorInfo, Usage
from harness.streaming.error_mapping import LLM_ERRORS
from harness.streaming.serving import AgentChunk
from tests.streaming.serving.abort_sweep import WAYS, at_await_point, at_frame, sweep
from tests.streaming.serving.service_env import SILENCE, Received, text

if TYPE_CHECKING:
    from harness.streaming.serving.runs.statuses import StopReason
    from tests.streaming.serving.service_env import Item, ServiceEnv

COUNTED = AgentChunk(Chunk("usage", usage=Usage(input=3, output=2)), "m", "s")
CALL = AgentChunk(Chunk("tool_call", None, 0, 0, "call_1", "get", '{"a":1}'), "m", "s")
MARKER = 'data: [DONE]\n\nevent: error\ndata: {"message_type":"stop_reason"}\n\n'

# What the agent yields, and the stop reason of a run that is not aborted.
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
# The fewest moments of a sweep: it must not pass because there was nothing to abort.
FEWEST = {at_await_point: 8, at_frame: 2}
WITH_KEEPALIVE = ["text", "our error", "silent"]  # each another path through the keepalive task


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("script", "keepalive_s"),
    [(script, None) for script in SCRIPTS] + [(script, 3600.0) for script in WITH_KEEPALIVE],
)
async def test_a_run_ends_correctly_wherever_it_is_aborted(
    env: ServiceEnv, script: str, keepalive_s: float | None, way: str
) -> None:
    items, natural = SCRIPTS[script]
    service = env.scripted(items, keepalive_s=keepalive_s)
    moments = await sweep(env, service, way, natural)
    assert moments >= FEWEST[WAYS[way]]


@pytest.mark.parametrize("script", SCRIPTS)
async def test_the_run_is_over_before_the_client_receives_its_stop_reason(
    env: ServiceEnv, script: str
) -> None:
    items, natural = SCRIPTS[script]
    request = env.request()
    received = Received(request.run_id or "")
    _, frames = await env.scripted(items).stream(request)
    while "done" not in received.labels:
        received.sent.append(await anext(frames))
        if "stop_reason" in received.labels:
            received.aborted = "done" not in received.labels
            assert await env.violations(received, {natural}) == []
    await frames.aclose()


@pytest.mark.parametrize("keepalive_s", [None, 3600.0])
@pytest.mark.parametrize("read", [0, 1, 2])
async def test_frames_in_a_garbage_cycle_are_closed(
    env: ServiceEnv, read: int, keepalive_s: float | None, caplog: pytest.LogCaptureFixture
) -> None:
    request = env.request()
    service = env.scripted([text("a"), text("b"), SILENCE], keepalive_s=keepalive_s)
    received = Received(request.run_id or "", aborted=True, dropped=True)
    _, frames = await service.stream(request)
    for _ in range(read):
        received.sent.append(await anext(frames))
    cycle: list[object] = [frames]
    cycle.append(cycle)
    del cycle, frames
    gc.collect()
    assert await env.violations(received, {"cancelled"}) == []
    assert caplog.text == ""
