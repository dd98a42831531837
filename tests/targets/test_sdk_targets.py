"""``sdk`` and ``sdk-helper`` read documented streams as the providers' documents say."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness import sdks
from harness.errors import TargetError
from harness.model import Outcome
from harness.protocols import NAMES
from harness.targets.base import Call
from harness.targets.resolving import resolve
from tests.targets.streams import CALLS, CITY, REFUSED, SUM, TEXT

if TYPE_CHECKING:
    from harness.sdks.clients import SdkClients
    from tests.targets.conftest import RunTarget

ADDRESSES = ("sdk", "sdk-helper")
# How many entries of TEXT end with its first delta.
CUT = {"openai_chat": 2, "anthropic_messages": 3, "gemini_generate": 1}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("address", ADDRESSES)
async def test_text_finish_and_usage_arrive(run_target: RunTarget, address: str, name: str) -> None:
    run = await run_target(address, name, TEXT[name])
    outcome = run.outcome
    assert run.raised is None
    assert run.texts() == outcome.text == "Hello"
    assert [chunk.text for chunk in run.chunks if chunk.kind == "text"] == ["Hel", "lo"]
    assert (outcome.finish, outcome.ending, outcome.error) == ("stop", "complete", None)
    assert outcome.usage is not None
    assert (outcome.usage.input, outcome.usage.output, outcome.usage.total) == (10, 5, 15)
    assert outcome.response_id
    assert outcome.model


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("address", ADDRESSES)
async def test_the_last_chunks_are_one_stop_reason_and_usage(
    run_target: RunTarget, address: str, name: str
) -> None:
    run = await run_target(address, name, TEXT[name])
    assert [chunk.kind for chunk in run.chunks[-2:]] == ["stop_reason", "usage"]
    assert [chunk.kind for chunk in run.chunks].count("stop_reason") == 1
    assert tuple(run.chunks) == run.outcome.chunks


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("address", ADDRESSES)
async def test_parallel_calls_are_complete_and_have_names(
    run_target: RunTarget, address: str, name: str
) -> None:
    outcome = (await run_target(address, name, CALLS[name])).outcome
    found = [(call.id, call.name, call.arguments, call.complete) for call in outcome.tool_calls]
    assert found == [
        ("call_1", "weather", {"city": "Łódź"}, True),
        ("call_2", "add", {"a": 1}, True),
    ]
    assert (outcome.finish, outcome.ending) == ("tool_calls", "complete")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("address", ADDRESSES)
async def test_chunks_of_a_call_add_up_to_its_arguments(
    run_target: RunTarget, address: str, name: str
) -> None:
    run = await run_target(address, name, CALLS[name])
    for index, (call, text) in enumerate(zip(run.outcome.tool_calls, (CITY, SUM), strict=True)):
        mine = [c for c in run.chunks if c.kind == "tool_call" and c.index == index]
        assert "".join(chunk.arguments or "" for chunk in mine) == call.arguments_raw
        assert json.loads(call.arguments_raw) == json.loads(text)
        assert mine[0].name == call.name


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_refused_request_raises_and_is_classified(
    run_target: RunTarget, address: str, name: str
) -> None:
    body = [{"raw": json.dumps(REFUSED[name])}]
    headers = (("content-type", "application/json"),)
    run = await run_target(address, name, body, status=429, headers=headers)
    assert run.raised is not None
    assert run.outcome.error is not None
    assert (run.outcome.error.kind, run.outcome.error.retryable) == ("rate_limit", True)
    assert (run.outcome.finish, run.outcome.ending) == ("error", "failed")


@pytest.mark.parametrize("name", CUT)
@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_stream_without_its_terminal_is_truncated_and_keeps_the_text(
    run_target: RunTarget, address: str, name: str
) -> None:
    run = await run_target(address, name, TEXT[name][: CUT[name]])
    assert run.raised is None
    assert (run.outcome.finish, run.outcome.ending) == ("unknown", "truncated")
    assert run.texts() == "Hel"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_lost_connection_is_a_failure(
    run_target: RunTarget, address: str, name: str
) -> None:
    run = await run_target(address, name, TEXT[name][:1], end="reset")
    assert run.raised is not None
    assert run.outcome.error is not None
    assert (run.outcome.error.kind, run.outcome.ending) == ("connection", "failed")
    kinds = [chunk.kind for chunk in run.chunks if chunk.kind != "usage"]
    assert kinds[-2:] == ["error", "stop_reason"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("address", ADDRESSES)
async def test_the_outcome_round_trips_through_json(
    run_target: RunTarget, address: str, name: str
) -> None:
    for stream in (TEXT[name], CALLS[name]):
        outcome = (await run_target(address, name, stream)).outcome
        assert Outcome.model_validate_json(outcome.model_dump_json()) == outcome


async def test_a_protocol_without_a_helper_is_not_supported_by_sdk_helper(
    clients: SdkClients,
) -> None:
    sdks.register(replace(sdks.binding_of("openai_chat"), protocol="toy", helper=None))
    try:
        helper = resolve("sdk-helper", clients)
        assert "toy" not in helper.protocols
        assert "toy" in resolve("sdk", clients).protocols
        with pytest.raises(TargetError, match="openai has no stream helper for toy"):
            helper.listen(Call("toy"))
    finally:
        sdks.unregister("toy")
