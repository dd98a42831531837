"""Classifying what SDKs raise: rejections of every provider, and connection errors."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, NamedTuple

import pytest

from harness.errors import ContextOverflowError, StreamError
from harness.protocols import protocol
from harness.sdks import open_stream
from harness.sdks.clients import SdkClients
from harness.streaming.error_mapping import classify, llm_error
from harness.streaming.interfaces import interface_for
from harness.targets.base import Call
from harness.wire.script import Script
from tests.streaming.memory_provider import NAMES, error_response, read_answer

if TYPE_CHECKING:
    from harness.model import JSON, ErrorKind

OPENAI = ("openai_chat", "openai_responses")
ANTHROPIC = ("anthropic_messages",)
GOOGLE = ("gemini_generate",)


def _openai(code: str | None, message: str = "No", kind: str = "invalid_request_error") -> JSON:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def _anthropic(kind: str, message: str = "No", *, cause: str | None = None) -> JSON:
    error = {"type": kind, "message": message, "details": {"error_code": cause} if cause else None}
    return {"type": "error", "error": error, "request_id": "req_1"}


def _google(code: int, status: str, message: str = "No") -> JSON:
    return {"error": {"code": code, "message": message, "status": status}}


class Refused(NamedTuple):
    """A rejection by the providers of some protocols, and its kind."""

    names: tuple[str, ...]
    status: int
    body: JSON
    kind: ErrorKind
    code: str | None
    retryable: bool = False

    def __str__(self) -> str:
        return f"{self.status} {self.code}"


# Bodies as the providers' documents and their users' reports show them:
# https://developers.openai.com/api/docs/guides/error-codes
# https://docs.claude.com/en/api/errors
# https://ai.google.dev/gemini-api/docs/generate-content/api-errors
REFUSALS = [
    Refused(OPENAI, 401, _openai("invalid_api_key"), "authentication", "invalid_api_key"),
    Refused(OPENAI, 403, _openai(None), "permission", "invalid_request_error"),
    Refused(OPENAI, 404, _openai("model_not_found"), "not_found", "model_not_found"),
    Refused(
        OPENAI, 400, _openai("context_length_exceeded"),
        "context_overflow", "context_length_exceeded",
    ),
    Refused(
        OPENAI, 429, _openai("rate_limit_exceeded", kind="tokens"),
        "rate_limit", "rate_limit_exceeded", retryable=True,
    ),
    Refused(
        OPENAI, 429, _openai("insufficient_quota", kind="insufficient_quota"),
        "rate_limit", "insufficient_quota",
    ),
    Refused(
        OPENAI, 429, _openai("credit_balance_exhausted", kind="insufficient_quota"),
        "rate_limit", "credit_balance_exhausted",
    ),
    Refused(
        OPENAI, 429, _openai("a_limit_of_tomorrow", kind="insufficient_quota"),
        "rate_limit", "insufficient_quota",
    ),
    Refused(
        OPENAI, 500, _openai(None, kind="server_error"), "server", "server_error", retryable=True
    ),
    Refused(
        OPENAI, 503, _openai("server_is_overloaded", kind="service_unavailable_error"),
        "overloaded", "server_is_overloaded", retryable=True,
    ),
    Refused(OPENAI, 503, "<html>No</html>", "overloaded", None, retryable=True),
    Refused(
        ANTHROPIC, 401, _anthropic("authentication_error"),
        "authentication", "authentication_error",
    ),
    Refused(ANTHROPIC, 402, _anthropic("billing_error"), "rate_limit", "billing_error"),
    Refused(
        ANTHROPIC, 413, _anthropic("request_too_large"), "context_overflow", "request_too_large"
    ),
    Refused(
        ANTHROPIC, 429, _anthropic("rate_limit_error"),
        "rate_limit", "rate_limit_error", retryable=True,
    ),
    Refused(
        ANTHROPIC, 429, _anthropic("rate_limit_error", cause="enforced_spend_limit_reached"),
        "rate_limit", "enforced_spend_limit_reached",
    ),
    Refused(
        ANTHROPIC, 429, _anthropic("rate_limit_error", cause="ramp_limit_exceeded"),
        "rate_limit", "rate_limit_error", retryable=True,
    ),
    Refused(ANTHROPIC, 500, _anthropic("api_error"), "server", "api_error", retryable=True),
    Refused(
        ANTHROPIC, 504, _anthropic("timeout_error"), "timeout", "timeout_error", retryable=True
    ),
    Refused(
        ANTHROPIC, 529, _anthropic("overloaded_error"),
        "overloaded", "overloaded_error", retryable=True,
    ),
    Refused(ANTHROPIC, 529, "<html>No</html>", "overloaded", None, retryable=True),
    Refused(GOOGLE, 400, _google(400, "INVALID_ARGUMENT"), "bad_request", "INVALID_ARGUMENT"),
    Refused(GOOGLE, 402, _google(402, "RESOURCE_EXHAUSTED"), "rate_limit", "RESOURCE_EXHAUSTED"),
    Refused(GOOGLE, 403, _google(403, "PERMISSION_DENIED"), "permission", "PERMISSION_DENIED"),
    Refused(
        GOOGLE, 429, _google(429, "RESOURCE_EXHAUSTED"),
        "rate_limit", "RESOURCE_EXHAUSTED", retryable=True,
    ),
    Refused(
        GOOGLE, 429, [_google(429, "RESOURCE_EXHAUSTED")],
        "rate_limit", "RESOURCE_EXHAUSTED", retryable=True,
    ),
    Refused(GOOGLE, 500, _google(500, "INTERNAL"), "server", "INTERNAL", retryable=True),
    Refused(GOOGLE, 503, _google(503, "UNAVAILABLE"), "overloaded", "UNAVAILABLE", retryable=True),
    Refused(
        GOOGLE, 504, _google(504, "DEADLINE_EXCEEDED"),
        "timeout", "DEADLINE_EXCEEDED", retryable=True,
    ),
    Refused(GOOGLE, 503, "<html>No</html>", "overloaded", "503", retryable=True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "row"), [(name, row) for row in REFUSALS for name in row.names], ids=str
)
async def test_tr015_a_rejected_request_keeps_the_providers_message(
    name: str, row: Refused
) -> None:
    chunks, outcome, raised = await read_answer(name, error_response(row.status, row.body))
    assert outcome.error is not None
    assert (outcome.error.kind, outcome.error.code) == (row.kind, row.code)
    assert outcome.error.retryable is row.retryable
    assert "No" in outcome.error.message
    assert (outcome.ending, outcome.finish) == ("failed", "error")
    assert [chunk.kind for chunk in chunks] == ["error", "stop_reason"]
    assert raised is not None
    assert not isinstance(raised, StreamError)  # it is the SDK's own exception


# Messages as users report them; each came with a code that only means "bad request".
OVERFLOWS = [
    ("openai_chat", 400, _openai(None, "This model's maximum context length is 8192 tokens.")),
    (
        "openai_responses", 400,
        _openai("invalid_request_error", "Your input exceeds the context window of this model."),
    ),
    ("openai_chat", 400, _openai(None, "Too much", "exceed_context_size_error")),
    (
        "anthropic_messages", 400,
        _anthropic("invalid_request_error", "prompt is too long: 208310 tokens > 200000 maximum"),
    ),
    (
        "anthropic_messages", 400,
        _anthropic(
            "invalid_request_error",
            "input length and `max_tokens` exceed context limit: 178959 + 64000 > 200000",
        ),
    ),
    (
        "gemini_generate", 400,
        _google(
            400, "INVALID_ARGUMENT",
            "The input token count (1200293) exceeds the maximum number of tokens allowed.",
        ),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "status", "body"), OVERFLOWS)
async def test_a_context_overflow_is_recognised_by_its_message(
    name: str, status: int, body: JSON
) -> None:
    answer = await read_answer(name, error_response(status, body))
    assert answer.outcome.error is not None
    assert (answer.outcome.error.kind, answer.outcome.error.retryable) == (
        "context_overflow",
        False,
    )
    assert isinstance(answer.raised, Exception)
    mapped = llm_error(answer.raised)
    assert isinstance(mapped, ContextOverflowError)
    assert mapped.__cause__ is answer.raised


# Transport


@pytest.mark.parametrize("name", NAMES)
async def test_a_lost_connection_is_a_connection_error(name: str) -> None:
    answer = await read_answer(name, Script((), end="reset"))
    assert answer.outcome.error is not None
    assert (answer.outcome.error.kind, answer.outcome.error.retryable) == ("connection", True)
    assert answer.outcome.ending == "truncated"


@pytest.mark.parametrize("name", NAMES)
async def test_a_silent_provider_is_a_timeout(name: str) -> None:
    answer = await read_answer(name, Script((), end="stall"), read_timeout=0.05)
    assert answer.outcome.error is not None
    assert (answer.outcome.error.kind, answer.outcome.error.retryable) == ("timeout", True)


@pytest.mark.parametrize("name", NAMES)
async def test_a_refused_connection_is_a_connection_error(name: str) -> None:
    with socket.socket() as bound:  # bound, but not listening
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        clients, interface = SdkClients(), interface_for(name)()
        opening = open_stream(clients, Call(name, url, protocol(name).request))
        with pytest.raises(Exception, match=r"(?i)connect") as caught:
            async for _ in interface.chunks(opening):
                pass
        await clients.aclose()
    assert classify(caught.value).kind == "connection"
