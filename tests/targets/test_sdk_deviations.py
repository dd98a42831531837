"""Where the SDKs alone deviate from the requirements: what they do, not what they should do.

Each expectation was measured with an SDK's own loop or helper, or is in the document that the loop
follows. A test that fails after an upgrade means that the SDK has changed.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.model import Reasoning, RedactedReasoning, Text
from harness.playback.server import serving
from harness.protocols import NAMES
from harness.sdks.clients import SdkClients
from harness.targets.resolving import resolve
from tests.targets.streams import LENGTH, MESSAGE_START, TEXT

if TYPE_CHECKING:
    from harness.model import JSON
    from harness.playback.response_registry import ResponseRegistry
    from tests.targets.conftest import RunTarget, Serve

ADDRESSES = ("sdk", "sdk-helper")
THINKING: JSON = {"at": [0], "content_block": {"type": "thinking"}}
REDACTED: JSON = {"at": [1], "content_block": {"type": "redacted_thinking", "data": "b64"}}
WEATHER: JSON = {"type": "tool_use", "id": "call_1", "name": "weather"}


@pytest.mark.parametrize("name", ["openai_chat", "anthropic_messages", "gemini_generate"])
async def test_the_loops_read_the_finish_word_for_length(run_target: RunTarget, name: str) -> None:
    outcome = (await run_target("sdk", name, LENGTH[name])).outcome
    assert (outcome.text, outcome.finish, outcome.ending) == ("Hel", "length", "incomplete")


@pytest.mark.parametrize("name", ["anthropic_messages", "gemini_generate"])
async def test_two_helpers_return_what_arrived_before_the_length_limit(
    run_target: RunTarget, name: str
) -> None:
    outcome = (await run_target("sdk-helper", name, LENGTH[name])).outcome
    assert (outcome.text, outcome.finish, outcome.ending) == ("Hel", "length", "incomplete")


async def test_the_responses_loop_reads_completed_only(run_target: RunTarget) -> None:
    outcome = (await run_target("sdk", "openai_responses", LENGTH["openai_responses"])).outcome
    assert (outcome.text, outcome.finish, outcome.ending) == ("Hel", "unknown", "truncated")
    assert (outcome.finish_raw, outcome.usage) == (None, None)


async def test_the_responses_loop_completes_calls_with_completed_only(
    run_target: RunTarget,
) -> None:
    item = {"type": "function_call", "call_id": "c", "name": "now", "status": "$absent"}
    stream = [
        "response.created",
        {"response.output_item.added": {"at": [0], "item": item}},
        {"response.function_call_arguments.delta": {"at": [0], "delta": "{}"}},
    ]
    [call] = (await run_target("sdk", "openai_responses", stream)).outcome.tool_calls
    assert (call.id, call.arguments_raw, call.complete) == ("c", "{}", False)


async def test_the_responses_helper_raises_without_completed(run_target: RunTarget) -> None:
    run = await run_target("sdk-helper", "openai_responses", LENGTH["openai_responses"])
    assert isinstance(run.raised, RuntimeError)
    assert (run.outcome.text, run.outcome.ending) == ("Hel", "failed")


async def test_the_chat_helper_raises_at_length_and_offers_its_snapshot(
    run_target: RunTarget,
) -> None:
    run = await run_target("sdk-helper", "openai_chat", LENGTH["openai_chat"])
    assert type(run.raised).__name__ == "LengthFinishReasonError"
    assert (run.outcome.text, run.outcome.finish_raw) == ("Hel", "length")
    assert (run.outcome.finish, run.outcome.ending) == ("error", "failed")


async def test_the_responses_loop_raises_for_a_flat_error_event(run_target: RunTarget) -> None:
    stream = ["response.created", {"text": "Hel"}, {"event": {"name": "error", "data": FLAT}}]
    outcome = (await run_target("sdk", "openai_responses", stream)).outcome
    assert (outcome.text, outcome.ending) == ("Hel", "failed")
    assert outcome.error is not None
    assert outcome.error.kind == "rate_limit"


FLAT: JSON = {
    "type": "error",
    "code": "rate_limit_exceeded",
    "message": "Slow down",
    "param": None,
    "sequence_number": 9,
}


async def test_the_curated_history_drops_a_turn_whose_last_chunk_has_no_parts(
    run_target: RunTarget,
) -> None:
    closing = {"response": {"candidates": [{"content": {"role": "model"}, "finishReason": "STOP"}]}}
    run = await run_target("sdk-helper", "gemini_generate", [{"text": "Hello"}, closing])
    assert run.texts() == "Hello"
    assert (run.outcome.content, run.outcome.finish) == ((), "stop")


async def test_only_the_new_turn_of_a_chat_is_returned(serve: Serve, clients: SdkClients) -> None:
    contents = [
        {"role": role, "parts": [{"text": text}]}
        for role, text in (("user", "Hello"), ("model", "Old"), ("user", "And?"))
    ]
    call = serve("gemini_generate", TEXT["gemini_generate"])
    call = replace(call, request={**call.request, "contents": contents})
    listening = resolve("sdk-helper", clients).listen(call)
    async with listening:
        assert [chunk async for chunk in listening]
    assert listening.outcome().content == (Text(text="Hel"), Text(text="lo"))


async def test_the_curated_history_keeps_thoughts_with_their_signature(
    run_target: RunTarget,
) -> None:
    thought = {"thought": {"text": "Hm", "thoughtSignature": "c2ln"}}
    answer = {"text": {"text": "Hi", "finishReason": "STOP"}}
    outcome = (await run_target("sdk-helper", "gemini_generate", [thought, answer])).outcome
    assert outcome.content == (Reasoning(text="Hm", signature="c2ln"), Text(text="Hi"))


async def test_a_tool_delta_without_index_breaks_the_chat_helper(run_target: RunTarget) -> None:
    stream = ["role", {"tool_call": {"at": None, "id": "call_1", "name": "add", "arguments": ""}}]
    run = await run_target("sdk-helper", "openai_chat", stream)
    assert run.raised is not None
    assert run.outcome.ending == "failed"


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # the helper's own copying
@pytest.mark.parametrize("address", ADDRESSES)
async def test_content_that_is_a_list_cannot_be_joined(run_target: RunTarget, address: str) -> None:
    thinking = [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}]
    stream = [{"delta": {"content": thinking}}, {"finish": "stop"}, "done"]  # Mistral, OC-046
    run = await run_target(address, "openai_chat", stream)
    assert isinstance(run.raised, TypeError)
    assert (run.outcome.content, run.outcome.ending) == ((), "failed")


async def test_the_input_of_a_server_tool_is_not_added_to_a_call(run_target: RunTarget) -> None:
    server = {"type": "server_tool_use", "id": "srv_1", "name": "web_search"}
    stream = [
        MESSAGE_START,
        {"content_block_start": {"at": [0], "content_block": WEATHER}},
        {"input_json_delta": {"at": [0], "partial_json": '{"city": "Łódź"}'}},
        {"content_block_stop": {"at": [0]}},
        {"content_block_start": {"at": [1], "content_block": server}},
        {"input_json_delta": {"at": [1], "partial_json": '{"query": "x"}'}},
        {"content_block_stop": {"at": [1]}},
        {"message_delta": {"delta": {"stop_reason": "tool_use"}}},
        "message_stop",
    ]
    for address in ADDRESSES:
        run = await run_target(address, "anthropic_messages", stream)
        streamed = "".join(c.arguments or "" for c in run.chunks if c.kind == "tool_call")
        assert streamed == run.outcome.tool_calls[0].arguments_raw == '{"city": "Łódź"}'
        assert [part.kind for part in run.outcome.content] == ["tool_call", "server_tool"]


async def test_a_call_cut_by_length_is_never_complete(run_target: RunTarget) -> None:
    stream = [
        MESSAGE_START,
        {"content_block_start": {"at": [0], "content_block": WEATHER}},
        {"input_json_delta": {"at": [0], "partial_json": '{"city": "Par'}},
        {"content_block_stop": {"at": [0]}},
        {"message_delta": {"delta": {"stop_reason": "max_tokens"}}},
        "message_stop",
    ]
    for address in ADDRESSES:
        [call] = (await run_target(address, "anthropic_messages", stream)).outcome.tool_calls
        assert (call.name, call.complete, call.arguments) == ("weather", False, None)


@pytest.mark.parametrize("address", ADDRESSES)
async def test_thinking_is_kept_with_its_signature(run_target: RunTarget, address: str) -> None:
    stream = [
        MESSAGE_START,
        {"content_block_start": THINKING},
        {"thinking_delta": {"at": [0], "thinking": "Hm"}},
        {"signature_delta": {"at": [0], "signature": "sig"}},
        {"content_block_stop": {"at": [0]}},
        {"content_block_start": REDACTED},
        {"content_block_stop": {"at": [1]}},
        "message_delta",
        "message_stop",
    ]
    run = await run_target(address, "anthropic_messages", stream)
    assert run.texts("reasoning") == "Hm"
    expected = (Reasoning(text="Hm", signature="sig"), RedactedReasoning(data="b64"))
    assert run.outcome.content == expected


@pytest.mark.parametrize("address", ADDRESSES)
async def test_reasoning_and_refusal_are_those_of_the_final_response(
    run_target: RunTarget, address: str
) -> None:
    reasoning: JSON = {"says": ["Hm"], "encrypted": "b64"}
    stream = ["response.created", {"reasoning": reasoning}, {"refusal": "No"}, "response.completed"]
    run = await run_target(address, "openai_responses", stream)
    assert run.outcome.content[0] == Reasoning(text="Hm", signature="b64")
    assert (run.texts("reasoning"), run.texts("refusal")) == ("Hm", "No")
    assert (run.outcome.refusal, run.outcome.finish) == ("No", "refusal")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("address", ADDRESSES)
async def test_breaking_out_closes_the_response(
    registry: ResponseRegistry, serve: Serve, clients: SdkClients, address: str, name: str
) -> None:
    call = serve(name, TEXT[name])
    listening = resolve(address, clients).listen(call)
    async with listening:
        async for chunk in listening:
            assert chunk.text == "Hel"
            break
        assert (listening.outcome().text, listening.outcome().ending) == ("Hel", "truncated")
    assert (listening.outcome().finish, listening.outcome().ending) == ("cancelled", "cancelled")
    if name != "gemini_generate":  # google-genai closes it when its generator is collected
        assert registry.exchanges(call.base_url.rpartition("/")[2])[-1].closed_by == "client"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("address", ADDRESSES)
async def test_cancellation_is_propagated(
    serve: Serve, clients: SdkClients, address: str, name: str
) -> None:
    listening = resolve(address, clients).listen(serve(name, TEXT[name][:3], end="stall"))
    arrived = asyncio.Event()

    async def read() -> None:
        async with listening:
            async for _ in listening:
                arrived.set()

    reading = asyncio.create_task(read())
    await arrived.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert listening.outcome().text.startswith("Hel")
    assert listening.outcome().ending == "cancelled"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_real_socket_delivers_the_same(
    registry: ResponseRegistry, serve: Serve, address: str, name: str
) -> None:
    clients = SdkClients()
    with serving(registry) as url:
        listening = resolve(address, clients).listen(serve(name, TEXT[name], url=url))
        async with listening:
            chunks = [chunk async for chunk in listening]
        await clients.aclose()
    assert "".join(chunk.text or "" for chunk in chunks) == "Hello"
    assert listening.outcome().ending == "complete"
