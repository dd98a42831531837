"""Client events as an OpenAI stream, checked by OpenAI's own SDK."""

from __future__ import annotations

from typing import get_args

import openai
import pytest

from harness.model import Chunk, FinishReason
from harness.streaming.reencoding.encoder import (
    CHAT_FINISH_OF_FINISH_REASON,
    CHAT_FINISH_OF_STOP_REASON,
)
from harness.streaming.serving.client_events import FAILURES, ClientEvent
from harness.streaming.serving.runs.statuses import STATUS_OF, StopReason
from harness.wire import sse
from tests.streaming.run_builder import (
    EVERYTHING,
    RunBuilder,
    chunks_of_the_sdk,
    complete_run,
    data_of,
    encode,
)

# A complete run


async def test_the_sdk_reads_the_stream_as_one_of_openai() -> None:
    chunks = await chunks_of_the_sdk(await encode(complete_run().events, **EVERYTHING))
    deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
    assert [delta.role for delta in deltas] == ["assistant"] + [None] * (len(deltas) - 1)
    assert "".join(delta.content or "" for delta in deltas) == "Hello"
    assert [getattr(delta, "reasoning_content", None) for delta in deltas[:3]] == [None, "Hm", None]
    calls = [call for delta in deltas for call in delta.tool_calls or ()]
    assert [(call.index, call.id) for call in calls] == [
        (0, "call_1"),
        (0, None),
        (1, "call_1"),  # of another message, so another call
        (2, "call_2"),
    ]
    assert [call.function and call.function.name for call in calls] == ["get", None, "put", "get"]
    assert [call.function and call.function.arguments for call in calls] == [
        "",
        '{"a":1}',
        "{}",
        "",
    ]
    assert chunks[-2].choices[0].finish_reason == "tool_calls"
    assert {(chunk.id, chunk.model, chunk.created) for chunk in chunks} == {
        ("chatcmpl-9", "gpt-x", 1763600000)
    }


async def test_the_usage_is_the_last_chunk_and_null_before() -> None:
    chunks = await chunks_of_the_sdk(await encode(complete_run().events, **EVERYTHING))
    usage = chunks[-1].usage
    assert (chunks[-1].choices, usage is not None) == ([], True)
    assert usage is not None
    assert usage.to_dict() == {
        "prompt_tokens": 9,
        "completion_tokens": 3,
        "total_tokens": 12,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }
    assert all(chunk.usage is None for chunk in chunks[:-1])


async def test_no_usage_is_sent_if_it_was_not_requested_or_not_reported() -> None:
    unasked = await data_of(complete_run())
    assert all("usage" not in sent for sent in unasked[:-1])
    unreported = await data_of(
        RunBuilder().text("Hi").stop_reason("end_turn").done(), include_usage=True
    )
    assert [sent["usage"] for sent in unreported[:-1]] == [None, None, None]


async def test_only_text_is_sent_by_default() -> None:
    sent = await data_of(complete_run())
    deltas = [choice["delta"] for chunk in sent[:-1] for choice in chunk["choices"]]
    assert deltas == [
        {"role": "assistant", "content": ""},
        {"content": "Hel"},
        {"content": "lo"},
        {},
    ]
    # A client would wait for calls that it has not received.
    assert sent[-2]["choices"][0]["finish_reason"] == "stop"


async def test_a_ping_is_a_comment() -> None:
    assert sse.comment("ping") in await encode(complete_run().events)


async def test_a_refusal_is_a_refusal_part() -> None:
    run = RunBuilder().message(Chunk("refusal", "No", 0)).stop_reason("end_turn", "refusal").done()
    chunks = await chunks_of_the_sdk(await encode(run.events))
    assert [chunk.choices[0].delta.refusal for chunk in chunks] == [None, "No", None]
    assert chunks[-1].choices[0].finish_reason == "stop"


async def test_hidden_and_unknown_messages_are_left_out() -> None:
    run = RunBuilder().message(Chunk("redacted_reasoning", data="x", part=0)).text("")
    run.events.append(ClientEvent(None, {"message_type": "tool_return_message", "content": "1"}))
    run.events.append(ClientEvent(None, {"message_type": "tool_call_message"}))
    sent = await data_of(run.stop_reason("end_turn").done(), **EVERYTHING)
    assert [choice["delta"] for chunk in sent[:-1] for choice in chunk["choices"]] == [
        {"role": "assistant", "content": ""},
        {},
    ]


# Finish reasons


def test_every_stop_and_finish_reason_is_in_its_table() -> None:
    assert set(CHAT_FINISH_OF_STOP_REASON) == set(STATUS_OF)
    assert set(CHAT_FINISH_OF_FINISH_REASON) == set(get_args(FinishReason))
    completed = {reason for reason, status in STATUS_OF.items() if status == "completed"}
    assert all(CHAT_FINISH_OF_STOP_REASON[reason] for reason in completed)


@pytest.mark.parametrize(
    ("reason", "finish", "expected"),
    [
        ("end_turn", None, "stop"),
        ("end_turn", "stop", "stop"),
        ("end_turn", "tool_calls", "tool_calls"),
        ("end_turn", "content_filter", "content_filter"),
        ("end_turn", "refusal", "content_filter"),
        ("max_tokens_exceeded", "length", "length"),
        ("max_tokens_exceeded", "stop", "length"),
        ("cancelled", "stop", "length"),
    ],
)
async def test_the_finish_reason_follows_from_the_run(
    reason: StopReason, finish: FinishReason | None, expected: str
) -> None:
    """Defect D86: it was always `stop`."""
    run = (
        RunBuilder().text("Hi").call("get", "{}", "call_1", "m").stop_reason(reason, finish).done()
    )
    chunks = await chunks_of_the_sdk(await encode(run.events, tool_calls=True))
    assert [c.choices[0].finish_reason for c in chunks if c.choices[0].finish_reason] == [expected]


FAILED = sorted(
    reason for reason, expected in CHAT_FINISH_OF_STOP_REASON.items() if expected is None
)


@pytest.mark.parametrize("reason", FAILED)
async def test_a_failed_run_has_an_error_and_no_finish_reason(reason: StopReason) -> None:
    sent = await encode(
        RunBuilder().text("Hi").stop_reason(reason).usage().done().events, include_usage=True
    )
    with pytest.raises(openai.APIError, match=reason):
        await chunks_of_the_sdk(sent)
    assert b"finish_reason" not in sent[-2]


@pytest.mark.parametrize("finish", ["error", "unknown"])
async def test_an_unknown_finish_reason_is_an_error(finish: FinishReason) -> None:
    [*_, error, done] = await data_of(
        RunBuilder().text("Hi").stop_reason("end_turn", finish).done()
    )
    assert (set(error), done) == ({"error"}, "[DONE]")


async def test_the_error_of_the_run_is_sent_once() -> None:
    run = RunBuilder().text("Hi").stop_reason("llm_api_error").error().error().done()
    sent = await data_of(run)
    assert [item["error"] for item in sent[:-1] if "error" in item] == [
        {
            "message": FAILURES["rate_limit"].message,
            "type": "llm_rate_limit",
            "param": None,
            "code": None,
        }
    ]


async def test_no_usage_is_sent_after_an_error() -> None:
    sent = await data_of(
        RunBuilder().stop_reason("end_turn").usage().error().done(), include_usage=True
    )
    assert [list(item) for item in sent[-2:-1]] == [["error"]]
