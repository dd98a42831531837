"""Where the SDKs alone part from the law: what they were measured to do, not what they should.

Each expectation is a fact about an SDK's own loop or helper (design/FACTS.md, section 1, or the
document the loop follows). A test that fails after an upgrade tells that the SDK has changed.
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
    from tests.targets.conftest import Put, Tell

ADDRESSES = ("sdk", "sdk-helper")
THINKING: JSON = {"at": [0], "content_block": {"type": "thinking"}}
REDACTED: JSON = {"at": [1], "content_block": {"type": "redacted_thinking", "data": "b64"}}
WEATHER: JSON = {"type": "tool_use", "id": "call_1", "name": "weather"}


@pytest.mark.parametrize("name", ["openai_chat", "anthropic_messages", "gemini_generate"])
async def test_the_loops_read_the_word_for_length(tell: Tell, name: str) -> None:
    outcome = (await tell("sdk", name, LENGTH[name])).outcome
    assert (outcome.text, outcome.finish, outcome.ending) == ("Hel", "length", "incomplete")


@pytest.mark.parametrize("name", ["anthropic_messages", "gemini_generate"])
async def test_two_helpers_hand_over_what_length_left(tell: Tell, name: str) -> None:
    outcome = (await tell("sdk-helper", name, LENGTH[name])).outcome
    assert (outcome.text, outcome.finish, outcome.ending) == ("Hel", "length", "incomplete")


async def test_the_responses_loop_listens_for_completed_only(tell: Tell) -> None:
    outcome = (await tell("sdk", "openai_responses", LENGTH["openai_responses"])).outcome
    assert (outcome.text, outcome.finish, outcome.ending) == ("Hel", "unknown", "truncated")
    assert (outcome.finish_raw, outcome.usage) == (None, None)


async def test_no_call_is_complete_for_the_responses_loop_before_completed(tell: Tell) -> None:
    item = {"type": "function_call", "call_id": "c", "name": "now", "status": "$absent"}
    stream = [
        "response.created",
        {"response.output_item.added": {"at": [0], "item": item}},
        {"response.function_call_arguments.delta": {"at": [0], "delta": "{}"}},
    ]
    [call] = (await tell("sdk", "openai_responses", stream)).outcome.tool_calls
    assert (call.id, call.arguments_raw, call.complete) == ("c", "{}", False)


async def test_the_responses_helper_raises_without_completed(tell: Tell) -> None:
    told = await tell("sdk-helper", "openai_responses", LENGTH["openai_responses"])
    assert isinstance(told.raised, RuntimeError)
    assert (told.outcome.text, told.outcome.ending) == ("Hel", "failed")


async def test_the_chat_helper_raises_at_length_and_shows_its_snapshot(tell: Tell) -> None:
    told = await tell("sdk-helper", "openai_chat", LENGTH["openai_chat"])
    assert type(told.raised).__name__ == "LengthFinishReasonError"
    assert (told.outcome.text, told.outcome.finish_raw) == ("Hel", "length")
    assert (told.outcome.finish, told.outcome.ending) == ("error", "failed")


async def test_a_flat_error_event_is_a_failure_for_the_loop_that_listens_for_it(tell: Tell) -> None:
    stream = ["response.created", {"text": "Hel"}, {"event": {"name": "error", "data": FLAT}}]
    outcome = (await tell("sdk", "openai_responses", stream)).outcome
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


async def test_the_curated_history_drops_a_turn_whose_last_chunk_has_no_parts(tell: Tell) -> None:
    closing = {"response": {"candidates": [{"content": {"role": "model"}, "finishReason": "STOP"}]}}
    told = await tell("sdk-helper", "gemini_generate", [{"text": "Hello"}, closing])
    assert told.texts() == "Hello"
    assert (told.outcome.content, told.outcome.finish) == ((), "stop")


async def test_only_the_new_turn_of_a_chat_is_taken(put: Put, clients: SdkClients) -> None:
    asked = [
        {"role": role, "parts": [{"text": text}]}
        for role, text in (("user", "Hello"), ("model", "Old"), ("user", "And?"))
    ]
    call = put("gemini_generate", TEXT["gemini_generate"])
    call = replace(call, request={**call.request, "contents": asked})
    listening = resolve("sdk-helper", clients).listen(call)
    async with listening:
        assert [chunk async for chunk in listening]
    assert listening.outcome().content == (Text(text="Hel"), Text(text="lo"))


async def test_the_curated_history_keeps_thoughts_with_their_signature(tell: Tell) -> None:
    thought = {"thought": {"text": "Hm", "thoughtSignature": "c2ln"}}
    answer = {"text": {"text": "Hi", "finishReason": "STOP"}}
    outcome = (await tell("sdk-helper", "gemini_generate", [thought, answer])).outcome
    assert outcome.content == (Reasoning(text="Hm", signature="c2ln"), Text(text="Hi"))


async def test_a_tool_delta_without_index_breaks_the_chat_helper(tell: Tell) -> None:
    stream = ["role", {"tool_call": {"at": None, "id": "call_1", "name": "add", "arguments": ""}}]
    told = await tell("sdk-helper", "openai_chat", stream)
    assert told.raised is not None
    assert told.outcome.ending == "failed"


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # the helper's own copying
@pytest.mark.parametrize("address", ADDRESSES)
async def test_content_that_is_a_list_breaks_whoever_joins_it(tell: Tell, address: str) -> None:
    thinking = [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}]
    stream = [{"delta": {"content": thinking}}, {"finish": "stop"}, "done"]  # Mistral, OC-046
    told = await tell(address, "openai_chat", stream)
    assert isinstance(told.raised, TypeError)
    assert (told.outcome.content, told.outcome.ending) == ((), "failed")


async def test_the_input_of_a_server_tool_is_no_part_of_a_call(tell: Tell) -> None:
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
        told = await tell(address, "anthropic_messages", stream)
        said = "".join(c.arguments or "" for c in told.chunks if c.kind == "tool_call")
        assert said == told.outcome.tool_calls[0].arguments_raw == '{"city": "Łódź"}'
        assert [part.kind for part in told.outcome.content] == ["tool_call", "server_tool"]


async def test_a_call_cut_by_length_is_never_complete(tell: Tell) -> None:
    stream = [
        MESSAGE_START,
        {"content_block_start": {"at": [0], "content_block": WEATHER}},
        {"input_json_delta": {"at": [0], "partial_json": '{"city": "Par'}},
        {"content_block_stop": {"at": [0]}},
        {"message_delta": {"delta": {"stop_reason": "max_tokens"}}},
        "message_stop",
    ]
    for address in ADDRESSES:
        [call] = (await tell(address, "anthropic_messages", stream)).outcome.tool_calls
        assert (call.name, call.complete, call.arguments) == ("weather", False, None)


@pytest.mark.parametrize("address", ADDRESSES)
async def test_thinking_is_kept_with_its_signature(tell: Tell, address: str) -> None:
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
    told = await tell(address, "anthropic_messages", stream)
    assert told.texts("reasoning") == "Hm"
    kept = (Reasoning(text="Hm", signature="sig"), RedactedReasoning(data="b64"))
    assert told.outcome.content == kept


@pytest.mark.parametrize("address", ADDRESSES)
async def test_reasoning_and_refusal_come_out_of_the_final_response(
    tell: Tell, address: str
) -> None:
    said: JSON = {"says": ["Hm"], "encrypted": "b64"}
    stream = ["response.created", {"reasoning": said}, {"refusal": "No"}, "response.completed"]
    told = await tell(address, "openai_responses", stream)
    assert told.outcome.content[0] == Reasoning(text="Hm", signature="b64")
    assert (told.texts("reasoning"), told.texts("refusal")) == ("Hm", "No")
    assert (told.outcome.refusal, told.outcome.finish) == ("No", "refusal")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("address", ADDRESSES)
async def test_who_leaves_midway_closes_the_response(
    stage: ResponseRegistry, put: Put, clients: SdkClients, address: str, name: str
) -> None:
    call = put(name, TEXT[name])
    listening = resolve(address, clients).listen(call)
    async with listening:
        async for chunk in listening:
            assert chunk.text == "Hel"
            break
        assert (listening.outcome().text, listening.outcome().ending) == ("Hel", "truncated")
    assert (listening.outcome().finish, listening.outcome().ending) == ("cancelled", "cancelled")
    if name != "gemini_generate":  # google-genai closes when its generator is collected
        assert stage.evidence(call.base_url.rpartition("/")[2])[-1].closed_by == "client"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_cancelled_reader_is_let_go(
    put: Put, clients: SdkClients, address: str, name: str
) -> None:
    listening = resolve(address, clients).listen(put(name, TEXT[name][:3], end="stall"))
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
async def test_the_same_comes_over_a_real_socket(
    stage: ResponseRegistry, put: Put, address: str, name: str
) -> None:
    clients = SdkClients()
    with serving(stage) as url:
        listening = resolve(address, clients).listen(put(name, TEXT[name], url=url))
        async with listening:
            chunks = [chunk async for chunk in listening]
        await clients.aclose()
    assert "".join(chunk.text or "" for chunk in chunks) == "Hello"
    assert listening.outcome().ending == "complete"
