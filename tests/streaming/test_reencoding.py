"""Our frames as an OpenAI stream: judged by the protocol's tables and by OpenAI's own SDK."""

from __future__ import annotations

from typing import get_args

import openai
import pytest

from harness.model import Chunk, FinishReason
from harness.streaming.reencoding.vocabulary import WORD_OF_FINISH, WORD_OF_STOP
from harness.streaming.serving.client_events import FAILURES, ClientEvent
from harness.streaming.serving.runs.statuses import STATUS_OF, StopReason
from harness.wire import sse
from tests.streaming.reencoding import (
    EVERYTHING,
    Run,
    heard_by_the_sdk,
    objects,
    told,
    whole_answer,
)

# A whole answer


async def test_the_sdk_hears_the_answer_it_would_hear_from_openai() -> None:
    chunks = await heard_by_the_sdk(await told(whole_answer().frames, **EVERYTHING))
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


async def test_the_usage_comes_last_and_alone_and_is_null_before() -> None:
    chunks = await heard_by_the_sdk(await told(whole_answer().frames, **EVERYTHING))
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


async def test_no_usage_is_sent_that_nobody_asked_for_or_reported() -> None:
    unasked = await objects(whole_answer())
    assert all("usage" not in sent for sent in unasked[:-1])
    unreported = await objects(Run().text("Hi").stops("end_turn").done(), include_usage=True)
    assert [sent["usage"] for sent in unreported[:-1]] == [None, None, None]


async def test_only_the_words_for_the_reader_are_sent_unless_asked() -> None:
    sent = await objects(whole_answer())
    deltas = [choice["delta"] for chunk in sent[:-1] for choice in chunk["choices"]]
    assert deltas == [
        {"role": "assistant", "content": ""},
        {"content": "Hel"},
        {"content": "lo"},
        {},
    ]
    # Whoever is told of calls it was not shown would wait for them.
    assert sent[-2]["choices"][0]["finish_reason"] == "stop"


async def test_a_ping_is_a_comment_which_clients_do_not_take_for_a_chunk() -> None:
    assert sse.comment("ping") in await told(whole_answer().frames)


async def test_refusals_are_refusals() -> None:
    run = Run().says(Chunk("refusal", "No", 0)).stops("end_turn", "refusal").done()
    chunks = await heard_by_the_sdk(await told(run.frames))
    assert [chunk.choices[0].delta.refusal for chunk in chunks] == [None, "No", None]
    assert chunks[-1].choices[0].finish_reason == "stop"


async def test_hidden_and_foreign_messages_are_left_out() -> None:
    run = Run().says(Chunk("redacted_reasoning", data="x", part=0)).text("")
    run.frames.append(ClientEvent(None, {"message_type": "tool_return_message", "content": "1"}))
    run.frames.append(ClientEvent(None, {"message_type": "tool_call_message"}))
    sent = await objects(run.stops("end_turn").done(), **EVERYTHING)
    assert [choice["delta"] for chunk in sent[:-1] for choice in chunk["choices"]] == [
        {"role": "assistant", "content": ""},
        {},
    ]


# Why it stopped


def test_every_reason_has_a_word_or_is_a_failure() -> None:
    assert set(WORD_OF_STOP) == set(STATUS_OF)
    assert set(WORD_OF_FINISH) == set(get_args(FinishReason))
    completed = {reason for reason, status in STATUS_OF.items() if status == "completed"}
    assert all(WORD_OF_STOP[reason] for reason in completed)


@pytest.mark.parametrize(
    ("reason", "finish", "word"),
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
async def test_the_finish_reason_is_the_real_one(
    reason: StopReason, finish: FinishReason | None, word: str
) -> None:
    """Defect D86: it was always stop."""
    run = Run().text("Hi").call("get", "{}", "call_1", "m").stops(reason, finish).done()
    chunks = await heard_by_the_sdk(await told(run.frames, tool_calls=True))
    assert [c.choices[0].finish_reason for c in chunks if c.choices[0].finish_reason] == [word]


FAILED = sorted(reason for reason, word in WORD_OF_STOP.items() if word is None)


@pytest.mark.parametrize("reason", FAILED)
async def test_a_failure_is_an_error_and_never_a_finish_reason(reason: StopReason) -> None:
    sent = await told(Run().text("Hi").stops(reason).counts().done().frames, include_usage=True)
    with pytest.raises(openai.APIError, match=reason):
        await heard_by_the_sdk(sent)
    assert b"finish_reason" not in sent[-2]


@pytest.mark.parametrize("finish", ["error", "unknown"])
async def test_an_ending_nobody_understood_is_no_success(finish: FinishReason) -> None:
    [*_, error, done] = await objects(Run().text("Hi").stops("end_turn", finish).done())
    assert (set(error), done) == ({"error"}, "[DONE]")


async def test_the_runs_own_error_is_told_once() -> None:
    run = Run().text("Hi").stops("llm_api_error").fails().fails().done()
    sent = await objects(run)
    assert [one["error"] for one in sent[:-1] if "error" in one] == [
        {
            "message": FAILURES["rate_limit"].message,
            "type": "llm_rate_limit",
            "param": None,
            "code": None,
        }
    ]


async def test_an_error_behind_the_finish_reason_takes_the_usage_with_it() -> None:
    sent = await objects(Run().stops("end_turn").counts().fails().done(), include_usage=True)
    assert [list(one) for one in sent[-2:-1]] == [["error"]]
