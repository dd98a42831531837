"""What a client of the service is told, and what its run says afterwards."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import ConversationBusyError, InputError, ProtocolError
from harness.model import Chunk, ErrorInfo, Usage
from harness.streaming.error_mapping import LLM_ERRORS
from harness.streaming.serving import AgentChunk, PendingApprovalError
from harness.streaming.serving.client_events import client_event_violations
from tests.streaming.serving.world import CONVERSATION, SILENCE, Heard, text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from harness.model import ErrorKind
    from harness.streaming.serving import AgentRequest, StreamRequest
    from harness.streaming.serving.runs.lock import Lease
    from harness.streaming.serving.runs.statuses import StopReason
    from tests.streaming.serving.world import World

# STREAMING 1d; every kind that is not here is llm_error.
ERROR_TYPES: dict[ErrorKind, str] = {
    "timeout": "llm_timeout",
    "rate_limit": "llm_rate_limit",
    "authentication": "llm_authentication",
}


# What is said


async def test_messages_then_one_stop_reason_then_usage_then_done(world: World) -> None:
    script = [text("a"), said("usage", usage=Usage(input=1)), text("b"), "end_turn"]
    heard = await world.read(world.service(script))
    assert heard.labels == ["message", "message", "stop_reason", "usage", "done"]
    assert [frame.seq_id for frame in heard.frames] == [1, 2, 3, 4, None]
    bodies = [frame.body for frame in heard.frames if isinstance(frame.body, dict)]
    assert {body["run_id"] for body in bodies} == {heard.run_id}
    assert await world.complaints(heard, {"end_turn"}) == []


async def test_usage_is_each_steps_last_word_added_up(world: World) -> None:
    script = [
        said("usage", "s1", usage=Usage(input=10, output=1)),
        said("usage", "s1", usage=Usage(input=10, output=5, cached=0)),
        said("stop_reason", "s1", finish="tool_calls"),
        said("usage", "s2", usage=Usage(input=20, output=7)),
        said("stop_reason", "s2", finish="length"),
        "max_tokens_exceeded",
    ]
    heard = await world.read(world.service(script))
    usage = heard.body("usage")
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (30, 12)
    assert (usage["cached_input_tokens"], usage["reasoning_tokens"]) == (0, None)
    assert usage["step_count"] == 2
    assert heard.body("stop_reason")["finish_reason"] == "length"
    assert await world.complaints(heard, {"max_tokens_exceeded"}) == []


async def test_nothing_is_asked_for_behind_a_stop_reason(world: World) -> None:
    heard = await world.read(world.service([text("a"), "end_turn", text("late"), "max_steps"]))
    assert heard.labels == ["message", "stop_reason", "done"]
    assert (world.provider.spoken, world.provider.open) == (2, 0)
    assert await world.complaints(heard, {"end_turn"}) == []


async def test_silence_is_filled_with_pings_that_repeat_the_last_number(world: World) -> None:
    async def slow(_: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        yield text("a")
        await asyncio.sleep(0.03)
        yield "end_turn"

    heard = await world.read(world.serving(slow, keepalive_s=0.005))
    pings = [frame for frame in heard.frames if frame.label == "ping"]
    assert {frame.seq_id for frame in pings} == {1}
    assert await world.complaints(heard, {"end_turn"}) == []


# What went wrong


@pytest.mark.parametrize("kind", LLM_ERRORS)
async def test_what_the_model_did_has_its_own_error_type(world: World, kind: ErrorKind) -> None:
    error = LLM_ERRORS[kind](ErrorInfo(kind=kind, message="its own words"))
    heard = await world.read(world.service([text("a"), error]))
    assert heard.labels == ["message", "stop_reason", "error", "done"]
    told = heard.body("error")
    assert told["error_type"] == ERROR_TYPES.get(kind, "llm_error")
    assert "its own words" in told["detail"]
    await assert_kept(world, heard, "llm_api_error")


@pytest.mark.parametrize(
    ("error", "error_type", "reason"),
    [
        (PendingApprovalError(), "pending_approval", "error"),
        (ProtocolError(ErrorInfo(kind="protocol")), "llm_error", "llm_api_error"),
        (KeyError("ours"), "internal_error", "error"),
        (TimeoutError(), "internal_error", "error"),  # a tool's, not the model's
    ],
    ids=repr,
)
async def test_every_exception_has_its_row(
    world: World, error: Exception, error_type: str, reason: StopReason
) -> None:
    heard = await world.read(world.service([error]))
    assert heard.body("error")["error_type"] == error_type
    assert heard.body("error")["detail"]
    await assert_kept(world, heard, reason)


async def test_a_loop_that_just_ends_is_incomplete(world: World) -> None:
    heard = await world.read(world.service([text("a")]))
    assert heard.labels == ["message", "stop_reason", "error", "done"]
    assert heard.body("error")["error_type"] == "stream_incomplete"
    await assert_kept(world, heard, "error")


async def test_a_stop_reason_nobody_knows_is_our_error(world: World) -> None:
    heard = await world.read(world.service([text("a"), "end_trun"]))
    assert "did you mean 'end_turn'" in heard.body("error")["detail"]
    await assert_kept(world, heard, "error")


@pytest.mark.parametrize("keepalive_s", [None, 3600.0])
async def test_a_run_that_is_not_tracked_fails_in_good_order(
    world: World, keepalive_s: float | None
) -> None:
    service = world.service(
        [text("a"), KeyError("k")], runs=None, conversations=None, keepalive_s=keepalive_s
    )
    heard = await world.read(service)
    assert client_event_violations(heard.frames) == []
    assert heard.body("error")["run_id"] is None


async def test_a_loop_that_cannot_be_closed_hides_nothing(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async def agent(_: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        try:
            yield text("a")
            yield "end_turn"
        finally:
            raise KeyError("its clean-up")

    heard = await world.read(world.serving(agent))
    assert heard.labels == ["message", "stop_reason", "done"]
    assert f"the agent of run {heard.run_id} could not be closed" in caplog.text
    assert await world.complaints(heard, {"end_turn"}) == []


async def test_a_store_that_is_gone_leaves_the_client_its_end(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async def agent(_: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        yield text("a")
        await world.runs.aclose()
        yield "end_turn"

    with caplog.at_level(logging.ERROR):
        heard = await world.read(world.serving(agent))
    assert heard.labels == ["message", "stop_reason", "done"]
    assert f"run {heard.run_id} ended as end_turn, which could not be kept" in caplog.text
    async with world.other.held(CONVERSATION):
        pass


# What is refused before the first byte


async def test_a_busy_conversation_is_refused_before_there_is_a_run(world: World) -> None:
    async with world.other.held(CONVERSATION):
        with pytest.raises(ConversationBusyError):
            await world.read(world.service(["end_turn"]))
    assert await world.runs.by_agent("agent") == []


async def test_who_is_not_admitted_leaves_nothing(world: World) -> None:
    async def admit(request: StreamRequest) -> None:
        assert request.agent_id == "agent"
        raise PendingApprovalError

    with pytest.raises(PendingApprovalError):
        await world.read(world.service(["end_turn"], admit=admit))
    assert await world.runs.by_agent("agent") == []
    assert await world.complaints(Heard("none", left=True), set()) == []


async def test_a_run_that_cannot_be_created_leaks_nothing(world: World) -> None:
    await world.runs.create(run_id="taken")
    with pytest.raises(InputError, match="taken"):
        await world.read(world.service(["end_turn"]), run_id="taken")
    assert await world.complaints(Heard("none", left=True), set()) == []
    taken = await world.runs.get("taken")
    assert taken is not None
    assert taken.status == "created"


async def test_an_interval_that_is_no_time_is_refused_before_anything_is_taken(
    world: World,
) -> None:
    with pytest.raises(InputError, match="keepalive"):
        await world.read(world.service(["end_turn"], keepalive_s=0.0))
    assert await world.runs.by_agent("agent") == []


# Cancelled


@pytest.mark.parametrize("keepalive_s", [None, 3600.0])
async def test_a_silent_provider_is_left_at_once(world: World, keepalive_s: float | None) -> None:
    async with asyncio.timeout(5):
        heard = await world.read(
            world.service([text("a"), SILENCE, text("b")], keepalive_s=keepalive_s)
        )
    assert heard.labels == ["message", "stop_reason", "done"]
    assert await world.complaints(heard, {"cancelled"}) == []
    assert not world.registry.fire(heard.run_id)


async def test_a_loop_that_swallows_its_cancellation_says_nothing_more(world: World) -> None:
    async def deaf(work: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        while True:
            try:
                yield text("a")
                work.cancel.fire()
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                pass

    heard = await world.read(world.serving(deaf))
    assert heard.labels == ["message", "stop_reason", "done"]
    assert await world.complaints(heard, {"cancelled"}) == []


async def test_a_loop_that_ends_quietly_when_cancelled_is_not_incomplete(world: World) -> None:
    async def quiet(work: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        yield text("a")
        work.cancel.fire()

    heard = await world.read(world.serving(quiet))
    assert heard.labels == ["message", "stop_reason", "done"]
    assert await world.complaints(heard, {"cancelled"}) == []


async def test_a_run_cancelled_before_it_started_never_starts(world: World) -> None:
    request = world.request(run_id="early")
    run, frames = await world.service([text("a"), "end_turn"]).stream(request)
    assert run is not None
    assert run.status == "created"
    await world.runs.finish("early", "cancelled")
    heard = Heard("early", [piece async for piece in frames])
    assert heard.labels == ["stop_reason", "done"]
    assert world.provider.spoken == 0
    assert await world.complaints(heard, {"cancelled"}) == []


async def test_who_ended_the_run_first_is_believed(world: World) -> None:
    async def agent(work: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        assert work.run is not None
        assert work.run.status == "running"
        yield text("a")
        await world.runs.finish(work.run.id, "cancelled")
        raise KeyError("the loop found its run gone")

    heard = await world.read(world.serving(agent))
    assert heard.labels == ["message", "stop_reason", "done"]
    assert await world.complaints(heard, {"cancelled"}) == []


async def test_a_run_that_lost_its_conversation_stops(world: World) -> None:
    holds: list[Lease] = []

    @asynccontextmanager
    async def held(conversation: str) -> AsyncIterator[Lease]:
        async with world.locks.held(conversation) as hold:
            holds.append(hold)
            yield hold

    async def agent(_: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        yield text("a")
        holds[0].lost = True
        yield text("b")

    heard = await world.read(world.serving(agent, conversations=held))
    assert heard.labels == ["message", "stop_reason", "error", "done"]
    assert heard.body("error")["error_type"] == "conversation_busy"
    await assert_kept(world, heard, "error")


def said(kind: Any, step_id: str = "s", **fields: Any) -> AgentChunk:
    return AgentChunk(Chunk(kind, **fields), "m", step_id)


async def assert_kept(world: World, heard: Heard, reason: StopReason) -> None:
    """The run failed by that reason, and keeps what the client was told of it."""
    assert heard.reason == reason
    run = await world.runs.get(heard.run_id)
    assert run is not None
    assert (run.status, type(run.stop_reason)) == ("failed", str)
    told = heard.body("error")
    words = ("error_type", "message", "detail")
    assert {word: run.metadata["error"][word] for word in words} == {
        word: told[word] for word in words
    }
    assert await world.complaints(heard, {reason}) == []
