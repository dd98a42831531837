"""A step of an agent through the adapter: what it delivers, raises and writes to its trace."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, get_args

import pytest

from harness.errors import (
    ContextOverflowError,
    LLMConnectionError,
    LLMContentPolicyError,
    LLMError,
    LLMOverloadedError,
    LLMRateLimitError,
    LLMServerError,
    LLMTruncatedError,
    LLMUnknownError,
    ProtocolError,
    UnknownWordError,
)
from harness.model import ErrorInfo, ErrorKind, Text
from harness.protocols import NAMES, protocol
from harness.protocols.message import Message
from harness.streaming.adapter import StreamAdapter
from harness.streaming.error_mapping import LLM_ERRORS, llm_error
from harness.streaming.providers import PROVIDERS, estimate_tokens, protocol_of
from harness.wire.script import Script
from tests.streaming.aborting import frames, silent_after
from tests.streaming.adapter_env import (
    IDS,
    PROVIDER_OF,
    AdapterEnv,
    context,
    context_for,
    response_of,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from harness.streaming.tracing.trace import ProviderTrace


@pytest.fixture
async def env() -> AsyncIterator[AdapterEnv]:
    made = AdapterEnv()
    yield made
    await made.aclose()


# Providers: A1, A2, D62.


@pytest.mark.parametrize(
    ("provider", "request_", "expected"),
    [
        ("anthropic", {"messages": []}, "anthropic_messages"),
        ("bedrock", {"messages": []}, "anthropic_messages"),
        ("minimax", {"messages": []}, "anthropic_messages"),
        ("google_ai", {"contents": ""}, "gemini_generate"),
        ("google_vertex", {"contents": ""}, "gemini_generate"),
        ("openai", {"messages": []}, "openai_chat"),
        ("openai", {"input": ""}, "openai_responses"),
        ("openai", {"input": "", "messages": []}, "openai_chat"),
        ("openrouter", {"input": ""}, "openai_responses"),
        ("azure", {"input": ""}, "openai_responses"),
        ("lmstudio", {"input": ""}, "openai_chat"),
        ("chatgpt_oauth", {"messages": []}, "openai_responses"),
        ("together", {"messages": []}, "openai_chat"),
    ],
)
def test_a_provider_has_the_protocol_of_the_request(
    provider: str, request_: dict[str, Any], expected: str
) -> None:
    assert protocol_of(provider, request_) == expected


def test_every_provider_has_a_known_protocol() -> None:
    protocols = {
        name for p in PROVIDERS.values() for name in (p.protocol, p.input_protocol) if name
    }
    assert protocols == set(NAMES)


async def test_an_unknown_provider_is_an_error_with_a_suggestion(env: AdapterEnv) -> None:
    with pytest.raises(UnknownWordError, match="did you mean 'openai'"):
        await anext(env.adapter.stream(context_for("open_ai"), {}))
    assert env.backend.traces == []


# Success


@pytest.mark.parametrize("name", NAMES)
async def test_a_step_delivers_an_answer_and_writes_one_trace(name: str, env: AdapterEnv) -> None:
    chunks, error = await env.run_step(name, response_of(name))
    step = env.adapter.result
    assert step is not None
    assert error is None
    assert tuple(chunks) == step.outcome.chunks
    assert [c.kind for c in chunks].count("stop_reason") == 1
    assert (step.outcome.finish, step.outcome.ending) == ("tool_calls", "complete")
    assert step.outcome.usage is not None
    await env.adapter.flush()
    (trace,) = env.backend.traces
    assert {key: getattr(trace, key) for key in IDS} == IDS
    assert (trace.call_type, trace.provider, trace.protocol) == (
        "agent_step",
        PROVIDER_OF[name],
        name,
    )
    assert (trace.model, trace.tags) == ("m", ("t",))
    assert trace.outcome is not None
    assert [call.id for call in trace.outcome.tool_calls] == ["call_0", "call_1"]  # D59
    assert trace.outcome.finish == "tool_calls"
    assert (trace.request, trace.error) == (protocol(name).request, None)
    assert (trace.first_chunk_s, trace.latency_s) == (1.0, 2.0)  # the clock advances when read
    assert type(trace).from_json(trace.to_json()) == trace


@pytest.mark.parametrize("name", NAMES)
async def test_a_chunk_is_yielded_as_soon_as_it_arrives(name: str, env: AdapterEnv) -> None:
    """A12: the provider stays silent in the middle; everything before was delivered."""
    env.respond_with(silent_after(name, len(frames(name)) - 1))
    async with aclosing(env.stream(name)) as chunks:
        first = await asyncio.wait_for(anext(chunks), 5)
    assert first.kind == "reasoning"


@pytest.mark.parametrize("name", NAMES)
async def test_a_step_keeps_no_state_for_the_next(name: str, env: AdapterEnv) -> None:
    """D52: a finish of length, then a plain stop, with one adapter."""
    content = (Text(text="Hi"),)
    for finish in ("length", "stop", "length"):
        message = Message(content=content, finish=finish)
        _, error = await env.run_step(name, response_of(name, message))
        assert error is None
        assert env.adapter.result is not None
        assert env.adapter.result.outcome.finish == finish


async def test_a_running_step_has_no_result(env: AdapterEnv) -> None:
    await env.run_step("openai_chat", response_of("openai_chat"))
    async with aclosing(env.stream("openai_chat")) as chunks:
        await anext(chunks)
        assert env.adapter.result is None


async def test_calls_that_need_approval_are_approval_requests(env: AdapterEnv) -> None:
    env.respond_with(response_of("anthropic_messages"))
    chunks = env.stream("anthropic_messages", requires_approval=("get",))
    kinds = {chunk.kind async for chunk in chunks}
    assert "approval_request" in kinds
    assert "tool_call" not in kinds


async def test_missing_usage_of_a_local_server_is_estimated(env: AdapterEnv) -> None:
    """A13, D29: without the network; a reported count wins."""
    message = Message(content=(Text(text="Hello you there"),))
    env.respond_with(response_of("openai_chat", message))
    request = protocol("openai_chat").request
    async for _ in env.adapter.stream(context_for("lmstudio"), request):
        pass
    assert env.adapter.result is not None
    usage = env.adapter.result.outcome.usage
    assert usage is not None
    assert usage.output == estimate_tokens("Hello you there") == 4


# Failures


def test_every_kind_of_error_has_a_class_of_its_own() -> None:
    assert set(LLM_ERRORS) == set(get_args(ErrorKind))
    assert len(set(LLM_ERRORS.values())) == len(LLM_ERRORS)


def test_an_error_is_mapped_once_and_keeps_its_cause() -> None:
    cause = ConnectionResetError("gone")
    mapped = llm_error(cause)
    assert mapped.__cause__ is cause
    assert llm_error(mapped) is mapped  # D54
    inside = ProtocolError(ErrorInfo(kind="protocol", code="x", message="odd"))
    assert llm_error(inside).info == inside.info


FAILURES: list[tuple[int, str, type[LLMError]]] = [
    (429, "rate_limit_exceeded", LLMRateLimitError),
    (500, "server_error", LLMServerError),
    (503, "overloaded_error", LLMOverloadedError),
    (400, "context_length_exceeded", ContextOverflowError),
    (400, "content_policy_violation", LLMContentPolicyError),
]


@pytest.mark.parametrize(("status", "code", "expected"), FAILURES)
@pytest.mark.parametrize("name", NAMES)
async def test_a_rejected_request_is_one_error_and_one_trace(
    name: str, status: int, code: str, expected: type[LLMError], env: AdapterEnv
) -> None:
    """A4, A6, D55: the SDK's exception is the cause; the trace has everything but an answer."""
    body = f'{{"error": {{"type": "{code}", "status": "{code}", "message": "no"}}}}'
    headers = (("content-type", "application/json"),)
    chunks, error = await env.run_step(name, Script((body.encode(),), status, headers))
    assert type(error) is expected
    assert error.__cause__ is not None
    assert type(error.__cause__).__module__.split(".")[0] in {"openai", "anthropic", "google"}
    retried = error.info.retryable or expected is ContextOverflowError
    assert [chunk.kind for chunk in chunks] == ([] if retried else ["error", "stop_reason"])  # D58
    await env.adapter.flush()
    (trace,) = env.backend.traces
    assert trace.error == error.info
    assert {key: getattr(trace, key) for key in IDS} == IDS
    assert (trace.call_type, trace.first_chunk_s is None) == ("agent_step", retried)
    assert trace.latency_s


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("server", LLMServerError), ("overloaded", LLMOverloadedError)],
)
@pytest.mark.parametrize("name", NAMES)
async def test_an_error_inside_the_stream_is_classified_by_its_code(
    name: str, kind: ErrorKind, expected: type[LLMError], env: AdapterEnv
) -> None:
    """D57, D31: the HTTP status is 200; only the event reports the error."""
    codes = {
        ("openai_responses", "server"): "server_error",
        ("openai_chat", "server"): "server_error",
        ("anthropic_messages", "server"): "api_error",
        ("gemini_generate", "server"): "INTERNAL",
        ("gemini_generate", "overloaded"): "UNAVAILABLE",
    }
    code = codes.get((name, kind), "overloaded_error")
    wrong = ErrorInfo(kind=kind, code=code, message="no", retryable=True)
    message = Message(content=(Text(text="Hi"),), ending="failed", error=wrong)
    chunks, error = await env.run_step(name, response_of(name, message))
    assert type(error) is expected
    assert {chunk.kind for chunk in chunks} <= {"text"}  # the end of the attempt is withheld
    assert env.adapter.result is not None
    assert env.adapter.result.error is error
    assert env.adapter.result.outcome.text == "Hi"


@pytest.mark.parametrize("name", NAMES)
async def test_a_lost_connection_and_a_missing_end_are_errors(name: str, env: AdapterEnv) -> None:
    cut = frames(name)[:2]
    chunks, error = await env.run_step(name, Script(cut, end="reset"))
    assert type(error) is LLMConnectionError
    told_cut, error_cut = await env.run_step(name, Script(cut))
    assert type(error_cut) is LLMTruncatedError
    assert {chunk.kind for chunk in (*chunks, *told_cut)} <= {"reasoning"}
    await env.adapter.flush()
    kinds = [trace.error and trace.error.kind for trace in env.backend.traces]
    assert kinds == ["connection", "truncated"]


class Stream:
    """A stream that raises something at an event, or when it is closed."""

    def __init__(self, at: int | None, error: Exception) -> None:
        self._at, self._error, self._events = at, error, itertools.count()

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        number = next(self._events)
        if number == self._at:
            raise self._error
        if number == 2:
            raise StopAsyncIteration
        return None

    async def aclose(self) -> None:
        if self._at is None:
            raise self._error


@pytest.mark.parametrize("at", ["start", 0, 1, "close"])
async def test_a_member_of_the_family_is_raised_as_the_same_object(at: str | int) -> None:
    """A5, D54."""
    mine = LLMServerError(ErrorInfo(kind="server", message="mine"))

    async def opener(_: str, __: Any) -> Any:
        if at == "start":
            raise mine
        return Stream(at if isinstance(at, int) else None, mine)

    adapter = StreamAdapter(opener)
    with pytest.raises(LLMServerError) as caught:
        _ = [chunk async for chunk in adapter.stream(context("openai_chat"), {"messages": []})]
    assert caught.value is mine
    assert mine.__cause__ is None
    assert adapter.result is not None
    assert adapter.result.error is mine


async def test_an_error_of_the_interface_is_raised_with_its_cause() -> None:
    """D53, D60: no error is suppressed or looks like an answer without a call."""

    async def opener(_: str, __: Any) -> Any:
        return Stream(1, mine)

    mine = AttributeError("a bug")
    with pytest.raises(LLMUnknownError) as caught:
        _ = [c async for c in StreamAdapter(opener).stream(context("openai_chat"), {})]
    assert caught.value.__cause__ is mine


# Traces do not affect the step


class Broken:
    """Traces that fail."""

    async def create(self, _: ProviderTrace) -> None:
        raise OSError("disk full")


class Slow:
    """Slow traces."""

    def __init__(self) -> None:
        self.may, self.done = asyncio.Event(), 0

    async def create(self, _: ProviderTrace) -> None:
        await self.may.wait()
        self.done += 1


async def test_a_failing_trace_is_logged_and_does_not_affect_the_step(
    env: AdapterEnv, caplog: pytest.LogCaptureFixture
) -> None:
    env.adapter = StreamAdapter(env.open, Broken())
    _, error = await env.run_step("openai_chat", response_of("openai_chat"))
    await env.adapter.flush()
    assert error is None
    assert "step step: its trace is lost" in caplog.text


async def test_a_step_does_not_wait_for_its_trace(env: AdapterEnv) -> None:
    slow = Slow()
    env.adapter = StreamAdapter(env.open, slow)
    for _ in range(3):
        await env.run_step("openai_chat", response_of("openai_chat"))
    assert slow.done == 0
    slow.may.set()
    await env.adapter.flush()
    assert slow.done == 3
