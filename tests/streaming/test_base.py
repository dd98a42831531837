"""The read loop that interfaces share: what ends a stream, what is raised, what is known when.

Aborts by signal and by the consumer are tested in test_cancelling_interfaces.py and
test_closing.py; this file needs no socket.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import anthropic
import httpx2
import pytest

from harness.errors import ProtocolError, StreamError
from harness.model import Chunk, Outcome, Text, Usage
from harness.streaming.decoding import WireObject
from harness.streaming.interfaces.anthropic_messages.interface import AnthropicMessagesInterface
from harness.streaming.interfaces.base import StreamingInterface
from tests.streaming.fake_stream import ANSWER, START, FakeStream, decoded, read_stream
from tests.streaming.interfaces.driving_anthropic_messages import (
    begin,
    drive,
    end,
    sdk_events,
    text,
)
from tests.streaming.memory_provider import NAMES, cut_characters, read_answer, text_response

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable


def tail(chunks: list[Chunk]) -> list[str]:
    return [chunk.kind for chunk in chunks if chunk.kind in {"error", "stop_reason", "usage"}]


# How a stream ends


async def test_a_complete_answer_ends_with_stop_reason_and_usage() -> None:
    interface, got, raised = await read_stream(decoded(*ANSWER))
    assert raised is None
    assert [chunk.kind for chunk in got][-2:] == tail(got) == ["stop_reason", "usage"]
    assert got[-2].finish == "tool_calls"
    assert got[-1].usage == interface.outcome().usage == Usage(input=10, output=5, total=15)
    seen = interface.diagnostics
    assert (seen.received, seen.last_event.type) == (len(ANSWER), "message_stop")


async def test_without_usage_there_is_no_usage_chunk() -> None:
    interface, got, _ = await read_stream(
        decoded({START: {"message": {"usage": None}}}, *end(usage=None))
    )
    assert tail(got) == ["stop_reason"]
    assert {"usage_missing", "empty_output"} <= set(interface.outcome().notes)


@pytest.mark.parametrize("count", range(1, len(ANSWER) - 1))
async def test_an_answer_without_a_terminal_is_truncated(count: int) -> None:
    """The last of these ends right before its message_delta, which is the terminal."""
    interface, got, raised = await read_stream(decoded(*ANSWER)[:count])
    outcome = interface.outcome()
    assert outcome.error is not None
    assert raised is None
    assert (outcome.ending, outcome.finish) == ("truncated", "unknown")
    assert (outcome.error.kind, outcome.error.retryable) == ("truncated", True)
    assert tail(got) == ["stop_reason", "usage"]


async def test_tr016_a_stream_without_events_is_an_error() -> None:
    interface, got, raised = await read_stream([])
    outcome = interface.outcome()
    assert outcome.error is not None
    assert (outcome.ending, outcome.error.kind, outcome.error.retryable) == (
        "truncated",
        "truncated",
        True,
    )
    assert (tail(got), raised, interface.diagnostics.last_event) == (["stop_reason"], None, None)


@pytest.mark.parametrize(
    "failure",
    [
        httpx2.ReadTimeout("slow"),
        ValueError("a fault of the SDK"),
        anthropic.APIConnectionError(request=httpx2.Request("POST", "http://x")),
        asyncio.InvalidStateError(),
    ],
    ids=repr,
)
async def test_an_exception_of_the_sdk_is_raised_again(failure: Exception) -> None:
    interface, got, raised = await read_stream(decoded(*ANSWER)[:8], failure)
    assert raised is failure
    assert tail(got) == ["error", "stop_reason", "usage"]
    outcome = interface.outcome()
    assert (outcome.finish, got[-2].finish) == ("error", "error")
    assert got[-3].error == outcome.error
    assert outcome.text == "Hel"


async def test_a_connection_lost_before_the_terminal_is_truncated() -> None:
    failure = httpx2.ReadError("lost")
    interface, _, raised = await read_stream(decoded(*ANSWER)[:-2], failure)
    outcome = interface.outcome()
    assert raised is failure
    assert outcome.error is not None
    assert (outcome.ending, outcome.finish, outcome.error.kind) == (
        "truncated",
        "error",
        "connection",
    )
    assert (outcome.text, outcome.tool_calls[0].complete) == ("Hello", True)


@pytest.mark.parametrize("failure", [httpx2.ReadError("lost"), httpx2.ReadTimeout("lost")])
async def test_tr014_a_transport_that_fails_after_the_terminal_is_a_note(
    failure: Exception,
) -> None:
    interface, got, raised = await read_stream(decoded(*ANSWER), failure)
    outcome = interface.outcome()
    assert raised is None
    assert (outcome.ending, outcome.error) == ("complete", None)
    assert "lost_after_terminal: lost" in outcome.notes
    assert tail(got) == ["stop_reason", "usage"]


async def test_another_failure_after_the_terminal_is_a_failure() -> None:
    failure = ValueError("a fault of the SDK")
    interface, got, raised = await read_stream(decoded(*ANSWER), failure)
    assert raised is failure
    assert interface.outcome().ending == "failed"
    assert tail(got) == ["error", "stop_reason", "usage"]


async def test_an_error_inside_the_stream_is_raised_as_a_stream_error() -> None:
    event = WireObject(type="error", error=WireObject(type="overloaded_error", message="Busy"))
    interface, got, raised = await read_stream([*decoded(*ANSWER)[:6], event, event])
    assert isinstance(raised, StreamError)
    assert raised.info is interface.outcome().error
    assert raised.info.kind == "overloaded"
    assert tail(got) == ["error", "stop_reason", "usage"]


async def test_the_first_error_counts() -> None:
    event = WireObject(type="error", error=WireObject(type="overloaded_error", message="Busy"))
    failure = httpx2.ReadError("lost")
    interface, _, raised = await read_stream([event], failure)
    outcome = interface.outcome()
    assert outcome.error is not None
    assert (outcome.error.kind, outcome.ending) == ("overloaded", "failed")
    assert raised is failure


async def test_i19_an_event_that_contradicts_the_others_ends_the_stream() -> None:
    wrong = {"text_delta": {"at": [0], "text": "Hi"}}
    events = decoded(START, begin(0, type="thinking"), wrong, *text(1, "late"))
    interface, got, raised = await read_stream(events)
    assert isinstance(raised, ProtocolError)
    assert tail(got) == ["error", "stop_reason", "usage"]
    assert (interface.outcome().ending, interface.outcome().text) == ("failed", "")


async def test_an_unknown_value_never_becomes_success() -> None:
    odd = WireObject(type="of_tomorrow")
    interface, _, raised = await read_stream(
        [*decoded(START), odd, odd, *decoded(*text(0, "Hi"), *end("bored"))]
    )
    outcome = interface.outcome()
    assert raised is None
    assert interface.diagnostics.unknown == {"event: of_tomorrow": 2}
    assert [note for note in outcome.notes if "tomorrow" in note] == ["unknown_event: of_tomorrow"]
    assert (outcome.finish, outcome.finish_raw) == ("unknown", "bored")
    assert "unknown_finish: bored" in outcome.notes


async def test_a_finish_for_calls_without_calls_is_noted() -> None:
    interface, _, _ = await read_stream(decoded(START, *text(0, "Hi"), *end("tool_use")))
    assert "no_tool_call" in interface.outcome().notes


@pytest.mark.parametrize(
    ("kind", "finish"), [("text", "stop"), ("tool_call", "tool_calls"), ("refusal", "refusal")]
)
def test_a_plain_stop_after_calls_or_a_refusal_is_reported_as_those(kind: str, finish: str) -> None:
    """Servers without a finish reason for calls or refusals send stop."""
    interface = AnthropicMessagesInterface()
    if kind == "tool_call":
        interface.assembly.open_call("c1", "get")
    else:
        interface.assembly.open_text("refusal" if kind == "refusal" else "text").add("No")
    interface.record_terminal("end_turn")
    assert interface.outcome().finish == finish


# What is known at each moment


@pytest.mark.parametrize("leave_at", range(8))
async def test_the_outcome_has_the_chunks_at_every_moment(leave_at: int) -> None:
    """IV-002: at every chunk the content is what was emitted."""
    interface = AnthropicMessagesInterface()
    chunks = interface.chunks(FakeStream(decoded(*ANSWER)))
    got: list[Chunk] = []
    async for chunk in chunks:
        got.append(chunk)
        outcome = interface.outcome()
        assert outcome.chunks[: len(got)] == tuple(got)
        assert outcome.text == "".join(c.text or "" for c in got if c.kind == "text")
        assert outcome.reasoning == "".join(c.text or "" for c in got if c.kind == "reasoning")
        if chunk.kind not in {"stop_reason", "usage"}:
            assert len(outcome.chunks) == len(got)  # only the last ones are recorded together
            assert (outcome.ending, outcome.finish) == ("truncated", "unknown")
            assert not any(one.complete for one in outcome.tool_calls)
        if len(got) > leave_at:
            break
    await chunks.aclose()
    after = interface.outcome()
    assert after.chunks[: len(got)] == tuple(got)
    assert (after.ending == "cancelled") == (got[-1].kind not in {"stop_reason", "usage"})


async def test_a_new_interface_has_an_empty_outcome() -> None:
    outcome = AnthropicMessagesInterface(model="mine").outcome()
    assert outcome == Outcome(model="mine")


@pytest.mark.parametrize("count", [0, 1, 6, len(ANSWER)])
async def test_an_outcome_round_trips_through_json(count: int) -> None:
    """It is built without validation, as its parts are our own."""
    for failure in (None, httpx2.ReadError("lost"), ValueError("é\U0001f600")):
        interface, _, _ = await read_stream(decoded(*ANSWER)[:count], failure)
        outcome = interface.outcome()
        assert Outcome.model_validate_json(outcome.model_dump_json()) == outcome


async def test_tr022_a_character_cut_in_two_deltas_is_joined() -> None:
    interface, got, _ = await read_stream(decoded(START, *text(0, "HIGH", "LOW"), *end()))
    outcome = interface.outcome()
    assert [chunk.text for chunk in got if chunk.kind == "text"] == ["\ud83d", "\ude00"]
    assert outcome.content == (Text(text="\U0001f600"),)
    assert Outcome.model_validate_json(outcome.model_dump_json()) == outcome


@pytest.mark.parametrize("name", NAMES)
async def test_tr022_a_cut_character_is_joined_in_every_protocol(name: str) -> None:
    outcome = (await read_answer(name, cut_characters(text_response(name, "HIGH", "LOW")))).outcome
    assert (outcome.text, outcome.ending) == ("\U0001f600", "complete")


# Aborts


async def _break(chunks: AsyncGenerator[Chunk, None]) -> None:
    async for _ in chunks:
        break
    await chunks.aclose()


async def _throw(chunks: AsyncGenerator[Chunk, None]) -> None:
    await anext(chunks)
    with pytest.raises(KeyError, match="mine"):
        await chunks.athrow(KeyError("mine"))


async def _task_cancel(chunks: AsyncGenerator[Chunk, None]) -> None:
    async def hold() -> None:
        async for _ in chunks:
            asyncio.current_task().cancel()  # type: ignore[union-attr]  # a task runs this

    with pytest.raises(asyncio.CancelledError):
        await asyncio.ensure_future(hold())


@pytest.mark.parametrize("abort", [_break, _throw, _task_cancel])
async def test_an_early_abort_is_recorded_as_cancelled(
    abort: Callable[[AsyncGenerator[Chunk, None]], Any],
) -> None:
    interface, stream = AnthropicMessagesInterface(), FakeStream(decoded(*ANSWER))
    await abort(interface.chunks(stream))
    outcome = interface.outcome()
    assert interface.diagnostics.cancelled
    assert (outcome.ending, outcome.finish) == ("cancelled", "cancelled")
    assert (outcome.error, outcome.reasoning) == (None, "H")
    assert "usage_partial" in outcome.notes
    assert stream.closed_by is not None


async def test_reading_the_outcome_does_not_change_the_interface() -> None:
    interface = AnthropicMessagesInterface()
    chunks = interface.chunks(FakeStream(decoded(*ANSWER)))
    await anext(chunks)
    await chunks.aclose()
    assert "usage_partial" in interface.outcome().notes
    interface.record_terminal("end_turn")
    assert "usage_partial" not in interface.outcome().notes


async def test_an_abort_after_the_end_keeps_the_ending() -> None:
    interface, stream = AnthropicMessagesInterface(), FakeStream(decoded(*ANSWER))
    chunks = interface.chunks(stream)
    async for chunk in chunks:
        if chunk.kind == "stop_reason":
            break
    await chunks.aclose()
    assert (interface.outcome().ending, interface.outcome().finish) == ("complete", "tool_calls")


# Synchronous streams


def test_a_synchronous_stream_gives_the_same() -> None:
    sync, events = AnthropicMessagesInterface(), sdk_events(*ANSWER)
    got = list(sync.chunks_sync(iter(events)))

    async def alongside() -> Outcome:
        interface, chunks, _ = await read_stream(events)
        assert chunks == got
        return interface.outcome()

    assert asyncio.run(alongside()) == sync.outcome()


@pytest.mark.parametrize(("count", "ending"), [(6, "truncated"), (len(ANSWER), "complete")])
def test_a_synchronous_stream_reports_a_lost_connection(count: int, ending: str) -> None:
    result = drive(*ANSWER[:count], ending="reset")
    assert result.outcome.ending == ending
    assert isinstance(result.raised, httpx2.ReadError) == (ending == "truncated")


def test_aborting_a_synchronous_stream_is_recorded_as_cancelled() -> None:
    interface = AnthropicMessagesInterface()
    chunks = interface.chunks_sync(iter(decoded(*ANSWER)))
    next(chunks)
    with suppress(KeyError):
        chunks.throw(KeyError("mine"))
    assert interface.outcome().ending == "cancelled"


# One interface, one stream


def test_d61_nothing_is_shared_between_instances() -> None:
    one, other = AnthropicMessagesInterface(), AnthropicMessagesInterface()
    before = other.outcome()
    list(one.chunks_sync(iter(decoded(*ANSWER))))
    one.note_unknown("event", "odd")
    assert other.outcome() == before
    assert other.diagnostics == AnthropicMessagesInterface().diagnostics


def test_a_stream_that_could_not_be_opened_has_failed() -> None:
    interface = AnthropicMessagesInterface()
    interface.fail(ConnectionRefusedError("refused"))
    interface.cancel()
    outcome = interface.outcome()
    assert outcome.error is not None
    assert (outcome.ending, outcome.finish, outcome.error.kind) == ("failed", "error", "connection")


def test_a_note_is_added_once() -> None:
    interface = AnthropicMessagesInterface()
    for detail in (1, 1, 2, None):
        interface.note("odd", detail)
    assert interface.outcome().notes == ("odd: 1", "odd: 2", "odd")


def test_an_interface_must_implement_handle() -> None:
    with pytest.raises(NotImplementedError):
        StreamingInterface().handle(WireObject())
