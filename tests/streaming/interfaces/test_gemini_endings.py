"""Endings, usage and errors of Gemini streams."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx2
import pytest

from harness.errors import StreamError
from harness.protocols.gemini_generate.vocabulary import BLOCKED, FAILURES, FINISH, UNFINISHED
from harness.streaming.interfaces.gemini_generate.interface import GeminiGenerateInterface
from tests.streaming.interfaces.gemini_sdk import (
    Body,
    Sdk,
    frames,
    wired,
)

if TYPE_CHECKING:
    from harness.model import JSON

UNKNOWN_ENUM = pytest.mark.filterwarnings("ignore:.* is not a valid:UserWarning")


@pytest.fixture(scope="module")
def sdk() -> Sdk:
    return Sdk()


# Endings


@pytest.mark.parametrize("word", sorted(set(FINISH) - set(FAILURES) - {UNFINISHED}))
async def test_d42_every_finish_reason_is_mapped(sdk: Sdk, word: str) -> None:
    outcome = await sdk.drive({"text": "Hi"}, {"finish": word})
    assert (outcome.finish, outcome.finish_raw, outcome.text) == (FINISH[word], word, "Hi")
    assert (outcome.ending == "complete") == (outcome.finish in {"stop", "unknown"})


@pytest.mark.parametrize("word", sorted(FAILURES))
async def test_d42_finish_reasons_that_are_failures_are_errors(sdk: Sdk, word: str) -> None:
    interface = GeminiGenerateInterface()
    finish = {"finish": {"finishReason": word, "content": "$absent"}}
    raised = await sdk.read(Body(frames({"text": "Hi"}, finish)), interface)
    outcome = interface.outcome()
    assert isinstance(raised, StreamError)
    assert (outcome.text, outcome.finish, outcome.finish_raw) == ("Hi", "error", word)
    assert outcome.ending == "failed"
    assert outcome.error is not None
    assert (outcome.error.kind, outcome.error.retryable) == FAILURES[word]
    assert (outcome.error.code, outcome.error.message) == (word, f"the model stopped with {word}")


def test_the_providers_code_and_message_are_kept() -> None:
    # google-genai 3.4.0 drops finishMessage for the Gemini API, so only the fast path sees it.
    finish = {"finishReason": "MALFORMED_FUNCTION_CALL", "finishMessage": "Malformed: call("}
    error = wired({"finish": finish}).error
    assert error is not None
    assert error.message == "Malformed: call("


@pytest.mark.parametrize("word", sorted(BLOCKED))
async def test_d42_a_blocked_prompt_is_filtered_and_its_usage_kept(sdk: Sdk, word: str) -> None:
    outcome = await sdk.drive({"block": word})
    assert (outcome.finish, outcome.finish_raw, outcome.ending) == (
        "content_filter",
        word,
        "incomplete",
    )
    assert outcome.usage is not None
    assert outcome.usage.input == 10
    assert outcome.notes == ("empty_output",)


async def test_events_after_a_finish_reason_are_read(sdk: Sdk) -> None:
    outcome = await sdk.drive({"finish": "STOP"}, {"text": "late"}, {"finish": "MAX_TOKENS"})
    assert (outcome.text, outcome.finish, outcome.ending) == ("late", "length", "incomplete")


async def test_an_unspecified_finish_reason_is_not_terminal(sdk: Sdk) -> None:
    outcome = await sdk.drive({"text": {"text": "Hi", "finishReason": UNFINISHED}})
    assert (outcome.finish, outcome.ending) == ("unknown", "truncated")


@UNKNOWN_ENUM
@pytest.mark.parametrize("entry", [{"finish": "SOMETHING_NEW"}, {"block": "SOMETHING_NEW"}])
async def test_an_unknown_finish_reason_is_not_success(sdk: Sdk, entry: JSON) -> None:
    outcome = await sdk.drive({"text": "Hi"}, entry)
    assert outcome.finish in {"unknown", "content_filter"}
    assert outcome.finish_raw == "SOMETHING_NEW"
    assert "unknown_finish: SOMETHING_NEW" in outcome.notes


def test_a_finish_reason_may_be_a_number() -> None:
    values = [wired({"text": "Hi"}, {"finish": {"finishReason": n}}).finish_raw for n in (1, 2, 99)]
    assert values == ["STOP", "MAX_TOKENS", "99"]


async def test_other_candidates_are_noted_and_ignored(sdk: Sdk) -> None:
    outcome = await sdk.drive(
        {"text": {"text": "A", "at": [0]}}, {"text": {"text": "B", "at": [1]}}, {"finish": "STOP"}
    )
    assert (outcome.text, outcome.notes) == ("A", ("other_candidate: 1",))


async def test_a_part_the_sdk_does_not_know_is_noted(sdk: Sdk) -> None:
    entries: list[JSON] = [{"parts": [{"hologram": {"x": 1}}]}, {"finish": "STOP"}]
    assert "unknown_part: without data" in (await sdk.drive(*entries)).notes
    assert "unknown_part: hologram" in wired(*entries).notes


def test_text_of_a_wrong_type_is_noted_and_dropped() -> None:
    got = wired({"text": True}, {"text": "Hi"}, {"finish": "STOP"})
    assert (got.text, "unknown_text: bool" in got.notes) == ("Hi", True)


async def test_d46_model_and_id_are_never_overwritten_by_null(sdk: Sdk) -> None:
    assert (await sdk.drive(model="asked")).model == "asked"
    outcome = await sdk.drive(
        {"text": "Hi"}, {"finish": {"modelVersion": "$absent", "responseId": None}}
    )
    assert (outcome.model, outcome.response_id) == ("gemini-2.5-flash", "resp_1")


@pytest.mark.parametrize("content", ["$absent", {"role": "model", "parts": "$absent"}, None])
async def test_a_candidate_without_parts_still_finishes(sdk: Sdk, content: JSON) -> None:
    outcome = await sdk.drive({"text": "Hi"}, {"finish": {"content": content}})
    assert (outcome.text, outcome.finish) == ("Hi", "stop")


# Usage


async def test_d45_reasoning_counts_as_output_and_the_total_is_the_providers(sdk: Sdk) -> None:
    counts = {
        "promptTokenCount": 100,
        "cachedContentTokenCount": 60,
        "toolUsePromptTokenCount": 7,
        "candidatesTokenCount": 20,
        "thoughtsTokenCount": 30,
        "totalTokenCount": 157,
    }
    outcome = await sdk.drive({"text": "Hi"}, {"finish": {"usageMetadata": counts}})
    assert outcome.usage is not None
    assert outcome.usage.model_dump() == {
        "input": 107,
        "cached": 60,
        "cache_write": None,
        "output": 50,
        "reasoning": 30,
        "total": 157,
    }


async def test_d45_reasoning_alone_counts_as_output_tokens(sdk: Sdk) -> None:
    counts = {"promptTokenCount": 8, "thoughtsTokenCount": 30, "totalTokenCount": 38}
    outcome = await sdk.drive({"finish": {"finishReason": "MAX_TOKENS", "usageMetadata": counts}})
    assert outcome.usage is not None
    assert (outcome.usage.output, outcome.usage.reasoning) == (30, 30)
    assert "empty_output" in outcome.notes


async def test_usage_is_assigned_field_by_field(sdk: Sdk) -> None:
    outcome = await sdk.drive(
        {"usage": {"promptTokenCount": 10, "candidatesTokenCount": 2, "thoughtsTokenCount": 0}},
        {"usage": {"promptTokenCount": None, "candidatesTokenCount": 5}},
        {"finish": {"usageMetadata": {"trafficType": "ON_DEMAND", "candidatesTokenCount": 0}}},
    )
    assert outcome.usage is not None
    assert (outcome.usage.input, outcome.usage.output, outcome.usage.total) == (10, 0, 10)
    assert (outcome.usage.reasoning, outcome.usage.cached) == (0, None)


async def test_missing_usage_is_none_and_never_zero(sdk: Sdk) -> None:
    outcome = await sdk.drive({"text": "Hi"}, {"finish": {"usageMetadata": "$absent"}})
    assert outcome.usage is None
    assert outcome.notes == ("usage_missing",)


async def test_tool_use_alone_is_not_input_and_raw_usage_is_kept(sdk: Sdk) -> None:
    interface = GeminiGenerateInterface()
    finish = {"finish": {"usageMetadata": {"toolUsePromptTokenCount": 7, "totalTokenCount": 7}}}
    await sdk.read(Body(frames(finish)), interface)
    assert interface.outcome().usage is not None
    assert interface.outcome().usage.input is None  # type: ignore[union-attr]  # just checked
    assert interface.raw_usage["tool_use_prompt_token_count"] == 7


# Failures


@pytest.mark.parametrize(
    ("error", "kind", "retryable"),
    [
        ({"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "quota"}, "rate_limit", True),
        ({"code": 503, "status": "UNAVAILABLE", "message": "busy"}, "overloaded", True),
        ({"code": 499, "status": "CANCELLED", "message": "gone"}, "server", False),
    ],
)
async def test_an_error_inside_the_stream(
    sdk: Sdk, error: JSON, kind: str, *, retryable: bool
) -> None:
    interface = GeminiGenerateInterface()
    raised = await sdk.read(Body(frames({"text": "Hi"}, {"error": error})), interface)
    outcome = interface.outcome()
    assert type(raised).__name__ in {"ClientError", "ServerError"}
    assert outcome.error is not None
    assert (outcome.text, outcome.ending) == ("Hi", "failed")
    assert (outcome.error.kind, outcome.error.retryable) == (kind, retryable)
    assert wired({"text": "Hi"}, {"error": error}).error == outcome.error


async def test_a_rejected_request_is_classified(sdk: Sdk) -> None:
    interface = GeminiGenerateInterface()
    body = json.dumps({"error": {"code": 401, "status": "UNAUTHENTICATED", "message": "key"}})
    sdk.transport.respond_with(Body([body.encode()]), 401, "application/json")
    raised = await sdk.finish(interface)
    assert isinstance(raised, Exception)
    opening = GeminiGenerateInterface()
    opening.fail(raised)
    for outcome in (interface.outcome(), opening.outcome()):
        assert outcome.error is not None
        assert (outcome.error.kind, outcome.ending) == ("authentication", "failed")


async def test_a_lost_connection_keeps_the_content(sdk: Sdk) -> None:
    interface = GeminiGenerateInterface()
    raised = await sdk.read(Body(frames({"text": "Hi"}), httpx2.ReadError("reset")), interface)
    outcome = interface.outcome()
    assert isinstance(raised, httpx2.ReadError)
    assert (outcome.text, outcome.ending, outcome.error and outcome.error.kind) == (
        "Hi",
        "truncated",
        "connection",
    )


async def test_an_empty_stream_is_truncated(sdk: Sdk) -> None:
    outcome = await sdk.drive()
    assert (outcome.ending, outcome.error and outcome.error.kind) == ("truncated", "truncated")
