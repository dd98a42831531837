"""Error classification: exceptions, error objects, and the tables against their sources."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any, get_args

import httpx2
import openai
import pytest
from anthropic.types.shared.error_type import ErrorType
from openai.types.responses import ResponseError

from harness.errors import (
    FrameTooLargeError,
    LLMError,
    LLMRateLimitError,
    ProtocolError,
    StreamError,
)
from harness.model import ErrorInfo, ErrorKind
from harness.streaming.error_mapping import (
    LLM_ERRORS,
    classify,
    error_info,
    info_of,
    llm_error,
    protocol_error,
    truncated,
)
from harness.streaming.error_tables import CODES, FINAL_CODES, STATUS

# Exceptions


def _raised_from(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


EXCEPTIONS: list[tuple[Exception, ErrorKind]] = [
    (TimeoutError(), "timeout"),
    (httpx2.ReadTimeout("slow"), "timeout"),
    (httpx2.ConnectTimeout("slow"), "timeout"),
    (httpx2.PoolTimeout("slow"), "timeout"),
    (ConnectionResetError(), "connection"),
    (BrokenPipeError(), "connection"),
    (httpx2.ConnectError("no"), "connection"),
    (httpx2.ReadError("lost"), "connection"),
    (httpx2.WriteError("lost"), "connection"),
    (httpx2.RemoteProtocolError("peer closed"), "connection"),
    (asyncio.IncompleteReadError(b"", 1), "connection"),
    (type("ClientPayloadError", (Exception,), {})(), "connection"),  # aiohttp's
    (json.JSONDecodeError("what", "", 0), "protocol"),
    (UnicodeDecodeError("utf-8", b"", 0, 1, "what"), "protocol"),
    (FrameTooLargeError(2, 1), "protocol"),
    (_raised_from(RuntimeError("failed"), httpx2.ReadTimeout("slow")), "timeout"),
    (_raised_from(RuntimeError("failed"), ValueError("what")), "unknown"),
    (ValueError("what"), "unknown"),
]


@pytest.mark.parametrize(("error", "kind"), EXCEPTIONS, ids=lambda value: repr(value)[:40])
def test_an_exception_is_classified_by_its_class_and_causes(
    error: Exception, kind: ErrorKind
) -> None:
    found = classify(error)
    assert found.kind == kind
    assert found.message == (str(error) or type(error).__name__)
    assert found.code is None


def test_causes_are_followed_to_a_limited_depth() -> None:
    error: Exception = TimeoutError()
    for _ in range(4):
        error = _raised_from(RuntimeError("again"), error)
    assert classify(error).kind == "unknown"
    assert classify(error.__cause__ or error).kind == "timeout"


async def test_an_answer_the_sdk_cannot_read_is_a_protocol_error() -> None:
    """Its body is not an error object, so nothing in it is a code."""
    response = httpx2.Response(200, request=httpx2.Request("POST", "http://x"))
    error = openai.APIResponseValidationError(
        response=response, body={"type": "server_error", "id": "r"}
    )
    assert classify(error).kind == "protocol"


def test_an_error_with_an_error_info_keeps_it() -> None:
    error = protocol_error("delta without a start")
    assert isinstance(error, ProtocolError)
    assert classify(error) is error.info
    assert error.info == ErrorInfo(kind="protocol", message="delta without a start")
    assert truncated("cut").retryable


# The LLMError family


def test_each_kind_of_error_has_its_own_class() -> None:
    assert set(LLM_ERRORS) == set(get_args(ErrorKind))
    assert len(set(LLM_ERRORS.values())) == len(LLM_ERRORS)


@pytest.mark.parametrize("kind", get_args(ErrorKind))
def test_an_error_becomes_a_member_of_the_family_once(kind: ErrorKind) -> None:
    """D54: wrapped once, and never again."""
    cause = StreamError(ErrorInfo(kind=kind, message="No"))
    mapped = llm_error(cause)
    assert type(mapped) is LLM_ERRORS[kind]
    assert (mapped.info, mapped.__cause__) == (cause.info, cause)
    assert llm_error(mapped) is mapped
    assert isinstance(mapped, LLMError)


def test_an_exhausted_quota_is_a_rate_limit_and_not_retryable() -> None:
    mapped = llm_error(StreamError(info_of(code="insufficient_quota")))
    assert isinstance(mapped, LLMRateLimitError)
    assert not mapped.info.retryable


# Error objects inside a stream


@pytest.mark.parametrize(
    ("body", "kind", "code", "message"),
    [
        ({"code": 429, "message": "Slow"}, "rate_limit", "429", "Slow"),  # OpenRouter
        ({"code": 402, "message": "Pay"}, "rate_limit", "402", "Pay"),
        ({"code": "1302", "message": "Busy"}, "unknown", "1302", "Busy"),  # Z.ai: no HTTP status
        ({"error": {"error": {"code": "slow_down"}}}, "rate_limit", "slow_down", ""),
        ([{"error": {"status": "UNAVAILABLE"}}], "overloaded", "UNAVAILABLE", ""),
        ({"error": "model is loading"}, "unknown", None, "model is loading"),
        ("boom", "unknown", None, "boom"),
        (SimpleNamespace(type="api_error", message="Oh"), "server", "api_error", "Oh"),
        (
            {"code": "tool_use_failed", "status_code": 400, "message": "No"},  # Groq
            "bad_request", "tool_use_failed", "No",
        ),
        ({"type": "strange", "status_code": 503}, "overloaded", "strange", ""),
        ({"type": "strange", "status_code": 418}, "bad_request", "strange", ""),
        ({"type": "strange", "status_code": 599}, "server", "strange", ""),
        ({"type": "strange", "status_code": 200}, "unknown", "strange", ""),
        ({"type": "api_error", "status_code": 529}, "overloaded", "api_error", ""),
        ({"code": "server_error", "status_code": 503}, "overloaded", "server_error", ""),
        ({"details": [{"@type": "x"}], "status": "INTERNAL"}, "server", "INTERNAL", ""),
        ({"code": ["odd"], "type": {}, "message": 7}, "unknown", None, "7"),
        ({}, "unknown", None, ""),
        ([], "unknown", None, ""),
        (None, "unknown", None, ""),
    ],
)  # fmt: skip
def test_an_error_object_is_classified_by_its_most_specific_code(
    body: Any, kind: ErrorKind, code: str | None, message: str
) -> None:
    found = error_info(body)
    assert (found.kind, found.code, found.message) == (kind, code, message)


def test_a_kind_given_by_the_caller_is_kept() -> None:
    assert info_of("server", code="rate_limit_exceeded").kind == "server"


# The tables against their sources


@pytest.mark.parametrize(
    "message",
    [
        "Invalid 'tools[5].function.description': string too long. Expected maximum length 1024.",
        "Invalid 'messages[3].tool_calls[0].id': string too long. Expected maximum length 40.",
    ],
)
def test_a_string_that_is_too_long_is_not_a_context_overflow(message: str) -> None:
    """OpenAI's code does not say which string is too long, so it is not a context overflow."""
    assert info_of(code="string_above_max_length", message=message).kind == "bad_request"


def test_every_code_of_the_sdks_is_in_the_table() -> None:
    openais = get_args(ResponseError.model_fields["code"].annotation)
    of_the_memory_tool = {"memory_precondition_failed_error", "memory_path_conflict_error"}
    anthropics = set(get_args(ErrorType)) - of_the_memory_tool  # not errors of the Messages API
    assert len(openais) > 20
    assert {*openais, *anthropics} <= CODES.keys()


# https://cloud.google.com/video-intelligence/docs/reference/rest/Shared.Types/Code
GOOGLES = {
    "CANCELLED": 499, "UNKNOWN": 500, "INVALID_ARGUMENT": 400, "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404, "PERMISSION_DENIED": 403, "UNAUTHENTICATED": 401, "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400, "ABORTED": 409, "OUT_OF_RANGE": 400, "UNIMPLEMENTED": 501,
    "INTERNAL": 500, "UNAVAILABLE": 503, "DATA_LOSS": 500,
}  # fmt: skip


@pytest.mark.parametrize(("code", "status"), GOOGLES.items())
def test_googles_codes_have_the_kinds_of_their_statuses(code: str, status: int) -> None:
    assert info_of(code=code).kind == info_of(status=status).kind == STATUS[status]
    assert info_of(code=code).retryable == info_of(status=status).retryable


def test_an_existing_conflict_is_not_retryable() -> None:
    assert not info_of(code="ALREADY_EXISTS").retryable


@pytest.mark.parametrize("code", sorted(FINAL_CODES))
def test_or011_missing_credit_is_not_retryable(code: str) -> None:
    assert code in CODES
    assert not info_of(code=code.upper(), status=429).retryable


@pytest.mark.parametrize("status", [402, 499])
def test_a_status_may_be_final(status: int) -> None:
    assert not info_of(code="anything", status=status).retryable
