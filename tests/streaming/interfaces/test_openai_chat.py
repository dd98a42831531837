"""The Chat Completions interface through the real SDK: defects, usage, errors, invariants."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import httpx2
import openai
import pytest

from harness.errors import StreamError
from harness.model import Usage
from harness.playback.response_registry import ResponseRegistry
from harness.playback.transport import MEMORY_URL, memory_transport
from harness.streaming.interfaces.openai_chat.interface import OpenAIChatInterface
from tests.streaming.interfaces.driving_openai_chat import (
    CALLED,
    END,
    PROTOCOL,
    arguments,
    call_of,
    drive,
    script,
    sdk_events,
)

if TYPE_CHECKING:
    from harness.model import Chunk, FinishReason
    from harness.wire.script import ResponseEnd


# The defects of the first implementation


@pytest.mark.parametrize(
    ("word", "finish", "ending"),
    [
        ("stop", "stop", "complete"),
        ("length", "length", "incomplete"),
        ("content_filter", "content_filter", "incomplete"),
        ("eos", "stop", "complete"),
        ("sensitive", "content_filter", "incomplete"),
        ("abort", "cancelled", "cancelled"),
        ("bored", "unknown", "complete"),
    ],
)
def test_d20_the_finish_reason_is_read(word: str, finish: FinishReason, ending: str) -> None:
    outcome = drive("role", {"content": "Hi"}, {"finish": word}, "done").outcome
    assert (outcome.finish, outcome.finish_raw, outcome.ending) == (finish, word, ending)
    assert ("unknown_finish: bored" in outcome.notes) == (word == "bored")


def test_d21_usage_on_every_chunk_is_assigned() -> None:
    def running(output: int) -> dict[str, Any]:
        counts = {
            "prompt_tokens": 100,
            "completion_tokens": output,
            "prompt_tokens_details": {"cached_tokens": 60},
        }
        choice = {"index": 0, "delta": {"content": "a"}, "finish_reason": None}
        return {"chunk": {"choices": [choice], "usage": counts}}

    outcome = drive("role", running(1), running(2), running(3), *END).outcome
    assert outcome.usage == Usage(input=100, cached=60, output=3, total=103)


def test_d22_a_late_id_loses_nothing() -> None:
    got = drive(
        "role",
        call_of(name="clock", arguments="{"),
        call_of(id="c1"),
        call_of(arguments="}"),
        *CALLED,
    )
    assert arguments(got.outcome) == [("clock", "{}", True)]
    assert [(c.id, c.name, c.arguments) for c in got.chunks("tool_call")] == [
        ("c1", "clock", "{"),
        ("c1", None, "}"),
    ]


def test_d23_an_index_used_twice_is_two_calls() -> None:
    first, second = (
        call_of(id="a", name="one", arguments="{}"),
        call_of(id="b", name="two", arguments="{}"),
    )
    outcome = drive("role", first, second, *CALLED).outcome
    assert arguments(outcome) == [("one", "{}", True), ("two", "{}", True)]
    assert [call.id for call in outcome.tool_calls] == ["a", "b"]


def test_d24_a_refusal_is_content() -> None:
    outcome = drive("role", {"refusal": "I can"}, {"refusal": "not."}, *END).outcome
    assert (outcome.refusal, outcome.finish) == ("I cannot.", "refusal")


@pytest.mark.parametrize(
    ("needing", "kind"), [("delete_all", "approval_request"), ("delete", "tool_call")]
)
def test_d25_approval_is_decided_by_the_complete_name(needing: str, kind: str) -> None:
    got = drive(
        "role",
        call_of(id="c", name="delete"),
        call_of(name="_all"),
        call_of(arguments="{}"),
        *CALLED,
        requires_approval=[needing],
    )
    [opening] = got.chunks("tool_call", "approval_request")
    assert (opening.kind, opening.name, opening.arguments) == (kind, "delete_all", "{}")
    assert got.call.approval == (True if kind == "approval_request" else None)


def test_d26_an_interface_needs_no_model() -> None:
    assert OpenAIChatInterface().outcome().model is None
    assert drive(*END, model="mine").outcome.model == "gpt-5-mini"
    assert drive({"chunk": {"model": "$absent"}}, *END[:0], model="mine").outcome.model == "mine"


def test_d27_the_order_of_text_and_reasoning_is_kept() -> None:
    entries = (
        {"reasoning": "a"},
        {"reasoning": "b"},
        {"content": "c"},
        {"reasoning": "d"},
        {"content": "e"},
    )
    content = drive("role", *entries, *END).outcome.content
    assert [(part.kind, getattr(part, "text", "")) for part in content] == [
        ("reasoning", "ab"),
        ("text", "c"),
        ("reasoning", "d"),
        ("text", "e"),
    ]


@pytest.mark.parametrize("finish", ["length", "content_filter", "bored"])
def test_d28_a_cut_call_cannot_be_executed(finish: str) -> None:
    whole, half = (
        call_of(0, id="a", name="one", arguments='{"a": 1}\n'),
        call_of(1, id="b", name="two", arguments='{"b"'),
    )
    bare, blank = call_of(2, id="c", name="three"), call_of(3, id="d", name="four", arguments=" ")
    outcome = drive("role", whole, half, bare, blank, {"finish": finish}, "done").outcome
    assert [call.complete for call in outcome.tool_calls] == [True, False, False, False]
    assert [call.arguments for call in outcome.tool_calls] == [{"a": 1}, None, None, None]


def test_d28_two_objects_are_not_valid_arguments() -> None:
    got = drive("role", call_of(id="a", name="one", arguments="{}{}"), *CALLED)
    assert arguments(got.outcome) == [("one", "{}{}", False)]


def test_d29_the_output_is_estimated_where_nothing_was_reported() -> None:
    entries = (
        "role",
        {"reasoning": "ab"},
        {"content": "cd"},
        call_of(id="a", name="one", arguments="{}"),
    )
    got = drive(*entries, *CALLED, estimate=len)
    assert got.outcome.usage == Usage(output=6)
    assert "usage_estimated: output" in got.outcome.notes
    assert got.outcome.chunks[-1].usage == Usage(output=6)


def test_d29_a_reported_zero_is_kept() -> None:
    zero = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    got = drive("role", {"content": "a"}, {"finish": "stop"}, {"usage": zero}, "done", estimate=len)
    assert got.outcome.usage == Usage(input=0, output=0, total=0)
    assert drive("role", *END, estimate=len).outcome.usage is None


def test_d57_an_error_inside_the_stream_has_its_own_kind() -> None:
    got = drive(
        "role", {"content": "a"}, {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}
    )
    assert isinstance(got.raised, openai.APIError)
    assert got.outcome.error is not None
    assert (got.outcome.error.kind, got.outcome.error.retryable) == ("rate_limit", True)
    assert (got.outcome.text, got.outcome.ending) == ("a", "failed")


def test_d61_nothing_is_shared_between_interfaces() -> None:
    drive("role", call_of(id="a", name="one", arguments="{}"), *CALLED)
    assert OpenAIChatInterface().outcome().content == ()


# Usage in other places


def test_oc008_groqs_usage_and_error() -> None:
    counts = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    end = {"index": 0, "delta": {}, "finish_reason": "stop"}
    aside = {"chunk": {"choices": [end], "x_groq": {"id": "req_1", "usage": counts}}}
    assert drive("role", aside, "done").outcome.usage == Usage(input=3, output=2, total=5)
    stopped = {"chunk": {"x_groq": {"id": "req_1", "error": "over capacity"}}}
    got = drive("role", stopped, "done")
    assert isinstance(got.raised, StreamError)
    assert got.raised.info.message == "over capacity"


def test_usage_is_read_from_vendor_fields_and_the_standard_field_wins() -> None:
    counts = {"prompt_tokens": 9, "prompt_cache_hit_tokens": 4, "reasoning_tokens": 2}
    assert drive("role", {"usage": counts}).outcome.usage == Usage(input=9, cached=4, reasoning=2)
    both = {**counts, "prompt_tokens_details": {"cached_tokens": 5}}
    assert drive("role", {"usage": both}).outcome.usage == Usage(input=9, cached=5, reasoning=2)


def test_usage_without_details_keeps_what_was_reported_before() -> None:
    first = {"usage": {"prompt_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 0}}}
    got = drive("role", first, {"usage": {"completion_tokens": 4}})
    assert got.outcome.usage == Usage(input=9, output=4, reasoning=0, total=13)
    assert got.interface.raw_usage["completion_tokens"] == 4


# Errors and ends


@pytest.mark.parametrize("word", ["error", "network_error", "insufficient_system_resource"])
def test_a_finish_that_is_a_failure_raises(word: str) -> None:
    got = drive("role", {"content": "a"}, {"finish": word}, "done")
    assert isinstance(got.raised, StreamError)
    assert (got.outcome.finish, got.outcome.ending, got.outcome.text) == (
        "error",
        "failed",
        "a",
    )
    assert got.outcome.error is not None
    assert got.outcome.error.code == word


def test_an_error_in_the_choice_is_more_specific_than_its_finish() -> None:
    error = {"code": 429, "message": "slow down"}
    choice = {"index": 0, "delta": {}, "finish_reason": "error", "error": error}
    got = drive("role", {"chunk": {"choices": [choice]}}, "done")
    assert got.outcome.error is not None
    assert (got.outcome.error.kind, got.outcome.error.message) == ("rate_limit", "slow down")


def test_a_flat_error_event_is_an_error() -> None:
    flat = {"event": {"data": {"type": "error", "code": "server_error", "message": "no"}}}
    got = drive("role", {"content": "a"}, flat, "done")
    assert got.outcome.ending == "failed"
    assert got.outcome.error is not None
    assert (got.outcome.error.kind, got.outcome.error.message) == ("server", "no")


def test_objects_from_the_wire_need_no_sdk() -> None:
    """Events decoded from the wire are plain objects; an error in one raises nothing."""

    class Read(dict[str, Any]):
        __getattr__ = dict.get

    interface = OpenAIChatInterface()
    delta = Read(content="a", reasoning_content="Hm")
    chunks = interface.handle(Read(id="c", model="m", choices=[Read(index=0, delta=delta)]))
    assert [chunk.text for chunk in chunks] == ["Hm", "a"]
    interface.handle(Read(error={"message": "no", "type": "server_error"}))
    assert interface.outcome().ending == "failed"
    assert interface.diagnostics.unknown == {}
    plain = SimpleNamespace(id="c", model="m", choices=[SimpleNamespace(index=0, delta=delta)])
    assert [chunk.text for chunk in OpenAIChatInterface().handle(plain)] == ["Hm", "a"]


@pytest.mark.parametrize("end", ["clean", "reset"])
def test_oc016_a_cut_is_truncated_and_closes_no_call(end: ResponseEnd) -> None:
    got = drive("role", call_of(id="a", name="one", arguments="{}"), end=end)
    assert (got.outcome.ending, got.call.complete, got.call.arguments) == (
        "truncated",
        False,
        None,
    )
    assert got.outcome.finish == ("unknown" if end == "clean" else "error")


def test_tr013_a_call_with_only_a_name_is_incomplete() -> None:
    got = drive("role", call_of(id="a", name="one"))
    assert arguments(got.outcome) == [("one", "", False)]
    assert [(c.id, c.name) for c in got.chunks("tool_call")] == [("a", "one")]


def test_tr014_a_missing_sentinel_after_the_finish_is_complete() -> None:
    assert drive("role", {"content": "a"}, {"finish": "stop"}).outcome.ending == "complete"
    reset = drive("role", {"content": "a"}, {"finish": "stop"}, end="reset").outcome
    assert (reset.ending, reset.finish, reset.error) == ("complete", "stop", None)


# Invariants over complete streams


STORY: tuple[Any, ...] = (
    "role",
    {"reasoning": "Hm"},
    {"content": "Hel"},
    {"content": "lo"},
    call_of(0, id="a", name="one", arguments='{"a"'),
    call_of(1, id="b", name="two"),
    call_of(0, arguments=": 1}"),
    call_of(1, arguments="{}"),
    {"finish": "tool_calls"},
    "usage",
)


@pytest.mark.parametrize("count", range(len(STORY) + 1))
def test_the_outcome_is_right_after_every_single_event(count: int) -> None:
    """At every event the content is what was emitted, and nothing is complete too early."""
    interface = OpenAIChatInterface()
    shown: list[Chunk] = []
    for event in sdk_events(*STORY[:count]):
        shown += interface.handle(event)
    outcome = interface.outcome()
    finished = count >= len(STORY) - 1
    assert outcome.text == "".join(c.text or "" for c in shown if c.kind == "text")
    assert outcome.ending == ("complete" if finished else "truncated")
    assert {call.complete for call in outcome.tool_calls} <= {finished}
    for call, index in zip(outcome.tool_calls, range(2), strict=False):
        fragments = (c.arguments or "" for c in shown if c.index == index)
        assert "".join(fragments) == call.arguments_raw


@pytest.mark.parametrize("cut", ["whole", "byte", "awkward", "random:7"])
async def test_the_asynchronous_sdk_gives_the_same_for_every_cut(cut: str) -> None:
    stage = ResponseRegistry()
    key = stage.register(script(*STORY, "done", cut=cut))
    interface = OpenAIChatInterface()
    async with httpx2.AsyncClient(transport=memory_transport(stage)) as http:
        client = openai.AsyncOpenAI(
            api_key="k", base_url=f"{MEMORY_URL}/{key}", max_retries=0, http_client=http
        )
        stream = await client.chat.completions.create(stream=True, **PROTOCOL.request)
        chunks = [chunk async for chunk in interface.chunks(stream)]
    assert interface.outcome() == drive(*STORY, "done").outcome
    assert tuple(chunks) == interface.outcome().chunks


def test_a_chunk_once_emitted_is_never_changed() -> None:
    interface = OpenAIChatInterface()
    pairs: list[tuple[Chunk, dict[str, Any]]] = []
    for event in sdk_events(*STORY):
        pairs += [(chunk, chunk.dump()) for chunk in interface.handle(event)]
    assert all(chunk.dump() == at_first for chunk, at_first in pairs)
