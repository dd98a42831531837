"""What a client of the service receives, and what is stored of its run."""

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
from tests.streaming.serving.service_env import CONVERSATION, SILENCE, Received, text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from harness.model import ErrorKind
    from harness.streaming.serving import AgentRequest, StreamRequest
    from harness.streaming.serving.runs.lock import Lease
    from harness.streaming.serving.runs.statuses import StopReason
    from tests.streaming.serving.service_env import ServiceEnv

# Every kind that is not here is llm_error.
ERROR_TYPES: dict[ErrorKind, str] = {
    "timeout": "llm_timeout",
    "rate_limit": "llm_rate_limit",
    "authentication": "llm_authentication",
}


# Messages


async def test_messages_then_one_stop_reason_then_usage_then_done(env: ServiceEnv) -> None:
    script = [text("a"), chunk_of("usage", usage=Usage(input=1)), text("b"), "end_turn"]
    received = await env.read(env.scripted(script))
    assert received.labels == ["message", "message", "stop_reason", "usage", "done"]
    assert [event.seq_id for event in received.events] == [1, 2, 3, 4, None]
    bodies = [event.body for event in received.events if isinstance(event.body, dict)]
    assert {body["run_id"] for body in bodies} == {received.run_id}
    assert await env.violations(received, {"end_turn"}) == []


async def test_usage_is_the_sum_of_the_last_counts_of_each_step(env: ServiceEnv) -> None:
    script = [
        chunk_of("usage", "s1", usage=Usage(input=10, output=1)),
        chunk_of("usage", "s1", usage=Usage(input=10, output=5, cached=0)),
        chunk_of("stop_reason", "s1", finish="tool_calls"),
        chunk_of("usage", "s2", usage=Usage(input=20, output=7)),
        chunk_of("stop_reason", "s2", finish="length"),
        "max_tokens_exceeded",
    ]
    received = await env.read(env.scripted(script))
    usage = received.body("usage")
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (30, 12)
    assert (usage["cached_input_tokens"], usage["reasoning_tokens"]) == (0, None)
    assert usage["step_count"] == 2
    assert received.body("stop_reason")["finish_reason"] == "length"
    assert await env.violations(received, {"max_tokens_exceeded"}) == []


async def test_nothing_is_requested_after_a_stop_reason(env: ServiceEnv) -> None:
    received = await env.read(env.scripted([text("a"), "end_turn", text("late"), "max_steps"]))
    assert received.labels == ["message", "stop_reason", "done"]
    assert (env.provider.yielded, env.provider.open) == (2, 0)
    assert await env.violations(received, {"end_turn"}) == []


async def test_pings_during_silence_repeat_the_last_number(env: ServiceEnv) -> None:
    async def slow(_: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        yield text("a")
        await asyncio.sleep(0.03)
        yield "end_turn"

    received = await env.read(env.service(slow, keepalive_s=0.005))
    pings = [event for event in received.events if event.label == "ping"]
    assert {event.seq_id for event in pings} == {1}
    assert await env.violations(received, {"end_turn"}) == []


# Errors


@pytest.mark.parametrize("kind", LLM_ERRORS)
async def test_each_error_of_the_model_has_its_error_type(env: ServiceEnv, kind: ErrorKind) -> None:
    error = LLM_ERRORS[kind](ErrorInfo(kind=kind, message="the provider's message"))
    received = await env.read(env.scripted([text("a"), error]))
    assert received.labels == ["message", "stop_reason", "error", "done"]
    body = received.body("error")
    assert body["error_type"] == ERROR_TYPES.get(kind, "llm_error")
    assert "the provider's message" in body["detail"]
    await assert_failed(env, received, "llm_api_error")


@pytest.mark.parametrize(
    ("error", "error_type", "reason"),
    [
        (PendingApprovalError(), "pending_approval", "error"),
        (ProtocolError(ErrorInfo(kind="protocol")), "llm_error", "llm_api_error"),
        (KeyError("internal"), "internal_error", "error"),
        (TimeoutError(), "internal_error", "error"),  # of a tool, not of the model
    ],
    ids=repr,
)
async def test_each_exception_has_its_error_type(
    env: ServiceEnv, error: Exception, error_type: str, reason: StopReason
) -> None:
    received = await env.read(env.scripted([error]))
    assert received.body("error")["error_type"] == error_type
    assert received.body("error")["detail"]
    await assert_failed(env, received, reason)


async def test_an_agent_without_a_stop_reason_is_incomplete(env: ServiceEnv) -> None:
    received = await env.read(env.scripted([text("a")]))
    assert received.labels == ["message", "stop_reason", "error", "done"]
    assert received.body("error")["error_type"] == "stream_incomplete"
    await assert_failed(env, received, "error")


async def test_an_unknown_stop_reason_is_an_internal_error(env: ServiceEnv) -> None:
    received = await env.read(env.scripted([text("a"), "end_trun"]))
    assert "did you mean 'end_turn'" in received.body("error")["detail"]
    await assert_failed(env, received, "error")


@pytest.mark.parametrize("keepalive_s", [None, 3600.0])
async def test_an_untracked_run_fails_with_legal_events(
    env: ServiceEnv, keepalive_s: float | None
) -> None:
    service = env.scripted(
        [text("a"), KeyError("k")], runs=None, conversations=None, keepalive_s=keepalive_s
    )
    received = await env.read(service)
    assert client_event_violations(received.events) == []
    assert received.body("error")["run_id"] is None


async def test_an_agent_that_cannot_be_closed_hides_nothing(
    env: ServiceEnv, caplog: pytest.LogCaptureFixture
) -> None:
    async def agent(_: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        try:
            yield text("a")
            yield "end_turn"
        finally:
            raise KeyError("of the clean-up")

    received = await env.read(env.service(agent))
    assert received.labels == ["message", "stop_reason", "done"]
    assert f"the agent of run {received.run_id} could not be closed" in caplog.text
    assert await env.violations(received, {"end_turn"}) == []


async def test_the_client_receives_its_end_when_the_store_fails(
    env: ServiceEnv, caplog: pytest.LogCaptureFixture
) -> None:
    async def agent(_: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        yield text("a")
        await env.runs.aclose()
        yield "end_turn"

    with caplog.at_level(logging.ERROR):
        received = await env.read(env.service(agent))
    assert received.labels == ["message", "stop_reason", "done"]
    assert f"run {received.run_id} ended as end_turn, which could not be stored" in caplog.text
    async with env.other.acquire(CONVERSATION):
        pass


# Refused before the first byte


async def test_a_busy_conversation_is_refused_before_the_run_exists(env: ServiceEnv) -> None:
    async with env.other.acquire(CONVERSATION):
        with pytest.raises(ConversationBusyError):
            await env.read(env.scripted(["end_turn"]))
    assert await env.runs.by_agent("agent") == []


async def test_a_refused_request_stores_nothing(env: ServiceEnv) -> None:
    async def admit(request: StreamRequest) -> None:
        assert request.agent_id == "agent"
        raise PendingApprovalError

    with pytest.raises(PendingApprovalError):
        await env.read(env.scripted(["end_turn"], admit=admit))
    assert await env.runs.by_agent("agent") == []
    assert await env.violations(Received("none", aborted=True), set()) == []


async def test_a_run_that_cannot_be_created_changes_nothing(env: ServiceEnv) -> None:
    await env.runs.create(run_id="taken")
    with pytest.raises(InputError, match="taken"):
        await env.read(env.scripted(["end_turn"]), run_id="taken")
    assert await env.violations(Received("none", aborted=True), set()) == []
    taken = await env.runs.get("taken")
    assert taken is not None
    assert taken.status == "created"


async def test_an_invalid_keepalive_interval_is_refused_before_the_run_exists(
    env: ServiceEnv,
) -> None:
    with pytest.raises(InputError, match="keepalive"):
        await env.read(env.scripted(["end_turn"], keepalive_s=0.0))
    assert await env.runs.by_agent("agent") == []


# Cancelled


@pytest.mark.parametrize("keepalive_s", [None, 3600.0])
async def test_a_silent_provider_is_aborted_at_once(
    env: ServiceEnv, keepalive_s: float | None
) -> None:
    async with asyncio.timeout(5):
        received = await env.read(
            env.scripted([text("a"), SILENCE, text("b")], keepalive_s=keepalive_s)
        )
    assert received.labels == ["message", "stop_reason", "done"]
    assert await env.violations(received, {"cancelled"}) == []
    assert not env.registry.fire(received.run_id)


async def test_an_agent_that_ignores_its_cancellation_emits_nothing_more(env: ServiceEnv) -> None:
    async def unresponsive(work: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        while True:
            try:
                yield text("a")
                work.cancel.fire()
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                pass

    received = await env.read(env.service(unresponsive))
    assert received.labels == ["message", "stop_reason", "done"]
    assert await env.violations(received, {"cancelled"}) == []


async def test_an_agent_that_returns_when_cancelled_is_not_incomplete(env: ServiceEnv) -> None:
    async def quiet(work: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        yield text("a")
        work.cancel.fire()

    received = await env.read(env.service(quiet))
    assert received.labels == ["message", "stop_reason", "done"]
    assert await env.violations(received, {"cancelled"}) == []


async def test_a_run_cancelled_before_it_started_never_starts(env: ServiceEnv) -> None:
    request = env.request(run_id="early")
    run, frames = await env.scripted([text("a"), "end_turn"]).stream(request)
    assert run is not None
    assert run.status == "created"
    await env.runs.finish("early", "cancelled")
    received = Received("early", [piece async for piece in frames])
    assert received.labels == ["stop_reason", "done"]
    assert env.provider.yielded == 0
    assert await env.violations(received, {"cancelled"}) == []


async def test_the_first_end_of_a_run_counts(env: ServiceEnv) -> None:
    async def agent(work: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        assert work.run is not None
        assert work.run.status == "running"
        yield text("a")
        await env.runs.finish(work.run.id, "cancelled")
        raise KeyError("the run has ended")

    received = await env.read(env.service(agent))
    assert received.labels == ["message", "stop_reason", "done"]
    assert await env.violations(received, {"cancelled"}) == []


async def test_a_run_that_lost_its_lease_stops(env: ServiceEnv) -> None:
    leases: list[Lease] = []

    @asynccontextmanager
    async def acquire(conversation: str) -> AsyncIterator[Lease]:
        async with env.locks.acquire(conversation) as lease:
            leases.append(lease)
            yield lease

    async def agent(_: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        yield text("a")
        leases[0].lost = True
        yield text("b")

    received = await env.read(env.service(agent, conversations=acquire))
    assert received.labels == ["message", "stop_reason", "error", "done"]
    assert received.body("error")["error_type"] == "conversation_busy"
    await assert_failed(env, received, "error")


def chunk_of(kind: Any, step_id: str = "s", **fields: Any) -> AgentChunk:
    return AgentChunk(Chunk(kind, **fields), "m", step_id)


async def assert_failed(env: ServiceEnv, received: Received, reason: StopReason) -> None:
    """Check that the run failed for that reason and has the error that the client received."""
    assert received.reason == reason
    run = await env.runs.get(received.run_id)
    assert run is not None
    assert (run.status, type(run.stop_reason)) == ("failed", str)
    error = received.body("error")
    fields = ("error_type", "message", "detail")
    assert {field: run.metadata["error"][field] for field in fields} == {
        field: error[field] for field in fields
    }
    assert await env.violations(received, {reason}) == []
