"""``sdk`` and ``sdk-helper`` over the real SDKs: what everyone agrees on, protocol by protocol.

The streams are as the providers document them; the expectations are the documents' own meaning.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from harness.model import Outcome
from harness.protocols import NAMES
from tests.targets.streams import CALLS, CITY, REFUSED, SUM, TEXT

if TYPE_CHECKING:
    from tests.targets.conftest import Tell

ADDRESSES = ("sdk", "sdk-helper")
# How much of TEXT holds its first delta and no more.
CUT = {"openai_chat": 2, "anthropic_messages": 3, "gemini_generate": 1}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("address", ADDRESSES)
async def test_text_finish_and_usage_arrive(tell: Tell, address: str, name: str) -> None:
    told = await tell(address, name, TEXT[name])
    outcome = told.outcome
    assert told.raised is None
    assert told.texts() == outcome.text == "Hello"
    assert [chunk.text for chunk in told.chunks if chunk.kind == "text"] == ["Hel", "lo"]
    assert (outcome.finish, outcome.ending, outcome.error) == ("stop", "complete", None)
    assert outcome.usage is not None
    assert (outcome.usage.input, outcome.usage.output, outcome.usage.total) == (10, 5, 15)
    assert outcome.response_id
    assert outcome.model


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("address", ADDRESSES)
async def test_the_chunks_end_with_one_stop_reason_then_usage(
    tell: Tell, address: str, name: str
) -> None:
    told = await tell(address, name, TEXT[name])
    assert [chunk.kind for chunk in told.chunks[-2:]] == ["stop_reason", "usage"]
    assert [chunk.kind for chunk in told.chunks].count("stop_reason") == 1
    assert tuple(told.chunks) == told.outcome.chunks


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("address", ADDRESSES)
async def test_parallel_calls_are_complete_and_named(tell: Tell, address: str, name: str) -> None:
    outcome = (await tell(address, name, CALLS[name])).outcome
    found = [(call.id, call.name, call.arguments, call.complete) for call in outcome.tool_calls]
    assert found == [
        ("call_1", "weather", {"city": "Łódź"}, True),
        ("call_2", "add", {"a": 1}, True),
    ]
    assert (outcome.finish, outcome.ending) == ("tool_calls", "complete")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("address", ADDRESSES)
async def test_chunks_of_a_call_add_up_to_its_arguments(
    tell: Tell, address: str, name: str
) -> None:
    told = await tell(address, name, CALLS[name])
    for index, (call, text) in enumerate(zip(told.outcome.tool_calls, (CITY, SUM), strict=True)):
        mine = [c for c in told.chunks if c.kind == "tool_call" and c.index == index]
        assert "".join(chunk.arguments or "" for chunk in mine) == call.arguments_raw
        assert json.loads(call.arguments_raw) == json.loads(text)
        assert mine[0].name == call.name


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_refused_request_is_named_by_what_the_sdk_raises(
    tell: Tell, address: str, name: str
) -> None:
    body = [{"raw": json.dumps(REFUSED[name])}]
    headers = (("content-type", "application/json"),)
    told = await tell(address, name, body, status=429, headers=headers)
    assert told.raised is not None
    assert told.outcome.error is not None
    assert (told.outcome.error.kind, told.outcome.error.retryable) == ("rate_limit", True)
    assert (told.outcome.finish, told.outcome.ending) == ("error", "failed")


@pytest.mark.parametrize("name", CUT)
@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_silent_end_is_truncated_and_keeps_the_text(
    tell: Tell, address: str, name: str
) -> None:
    told = await tell(address, name, TEXT[name][: CUT[name]])
    assert told.raised is None
    assert (told.outcome.finish, told.outcome.ending) == ("unknown", "truncated")
    assert told.texts() == "Hel"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_lost_connection_is_a_failure(tell: Tell, address: str, name: str) -> None:
    told = await tell(address, name, TEXT[name][:1], end="reset")
    assert told.raised is not None
    assert told.outcome.error is not None
    assert (told.outcome.error.kind, told.outcome.ending) == ("connection", "failed")
    kinds = [chunk.kind for chunk in told.chunks if chunk.kind != "usage"]
    assert kinds[-2:] == ["error", "stop_reason"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("address", ADDRESSES)
async def test_the_outcome_round_trips_through_json(tell: Tell, address: str, name: str) -> None:
    for stream in (TEXT[name], CALLS[name]):
        outcome = (await tell(address, name, stream)).outcome
        assert Outcome.model_validate_json(outcome.model_dump_json()) == outcome
