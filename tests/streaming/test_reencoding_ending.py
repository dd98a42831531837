"""The encoded stream ends with one [DONE] on every path and is legal by the protocol's grammar."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import RunCancelled, StreamError
from harness.model import ErrorInfo
from harness.protocols import protocol
from harness.protocols.events import events_of
from harness.streaming.reencoding import reencode
from harness.streaming.serving.client_events import DONE, STREAM_INCOMPLETE, ClientEvent, write
from harness.wire.cut_plans import cut
from tests.streaming.run_builder import (
    EVERYTHING,
    REQUIRED,
    RunBuilder,
    complete_run,
    data_of,
    encode,
    source_of,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


SCRIPTS = {
    "complete": RunBuilder().text("Hi").stop_reason("end_turn").usage().done(),
    "cancelled": RunBuilder().text("Hi").stop_reason("cancelled").done(),
    "cancelled without an end": RunBuilder().text("Hi").stop_reason("cancelled"),
    "failed": RunBuilder().text("Hi").stop_reason("error").error().done(),
    "failed without an end": RunBuilder().text("Hi").stop_reason("error").error(),
    "only the end": RunBuilder().done(),
    "no events": RunBuilder(),
    "broken": RunBuilder().text("Hi"),
    "only pings": RunBuilder().ping().ping(),
    "two ends": RunBuilder().text("Hi").stop_reason("end_turn").done().done(),
    "events after the end": RunBuilder().stop_reason("end_turn").done().text("more").error().ping(),
    "text after the stop": RunBuilder().stop_reason("end_turn").text("stale").done(),
    "two stops": RunBuilder().text("Hi").stop_reason("cancelled").stop_reason("end_turn").done(),
}


def checked(pieces: list[bytes]) -> list[Any]:
    """Check a stream with the protocol's grammar and return its data."""
    assert pieces[-1] == write(DONE)  # not even a comment after it
    events = list(events_of(pieces))
    assert [event.data for event in events].count("[DONE]") == 1
    assert events[-1].data == "[DONE]"
    failed = [event for event in events if isinstance(event.data, dict) and "error" in event.data]
    # The grammar ends at an error, because the SDKs stop there; we still send a [DONE].
    found = protocol("openai_chat").violations(events[:-1] if failed else events)
    assert [violation for violation in found if violation.severity == "violation"] == []
    return [event.data for event in events]


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("plan", ["event", "whole", "awkward"])
async def test_the_stream_is_legal_and_ends_once_for_every_cut_plan(script: str, plan: str) -> None:
    pieces = cut([write(event) for event in SCRIPTS[script].events], plan)
    sent = [sent async for sent in reencode(source_of(pieces), **REQUIRED, **EVERYTHING)]
    assert checked(sent) == checked(await encode(SCRIPTS[script].events, **EVERYTHING))
    assert b"stale" not in b"".join(sent)


@pytest.mark.parametrize("script", ["no events", "broken", "only pings"])
async def test_a_truncated_run_ends_with_an_error(script: str) -> None:
    error = (await data_of(SCRIPTS[script]))[-2]["error"]
    assert (error["type"], error["message"]) == STREAM_INCOMPLETE[::2]


async def test_str_and_bytes_are_read_alike() -> None:
    text = "".join(write(event).decode() for event in complete_run().events)
    sent = [sent async for sent in reencode(source_of([text]), **REQUIRED)]
    assert sent == await encode(complete_run().events)


@pytest.mark.parametrize(
    ("failure", "error_type"),
    [
        (RuntimeError("internal"), "internal_error"),
        (StreamError(ErrorInfo(kind="timeout", message="no byte")), "llm_timeout"),
    ],
)
@pytest.mark.parametrize("script", ["no events", "broken", "complete", "failed"])
async def test_an_exception_of_the_source_is_sent_and_logged(
    failure: Exception, error_type: str, script: str, caplog: pytest.LogCaptureFixture
) -> None:
    events = SCRIPTS[script].events
    source = source_of(map(write, events), failure)
    sent = checked([sent async for sent in reencode(source, **REQUIRED)])
    if DONE not in events:
        assert sent[-2]["error"]["type"] == error_type
    assert [record.exc_info and record.exc_info[1] for record in caplog.records] == [failure]


async def test_run_cancelled_raised_by_the_source_ends_the_stream_as_a_cancelled_event() -> None:
    source = source_of([write(event) for event in SCRIPTS["broken"].events], RunCancelled())
    sent = [sent async for sent in reencode(source, **REQUIRED)]
    assert checked(sent) == checked(await encode(SCRIPTS["cancelled"].events))


async def test_sdk_warnings_are_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    await encode(complete_run().events, **EVERYTHING)
    assert capsys.readouterr() == ("", "")


async def test_data_that_is_not_a_client_event_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        await encode([ClientEvent(None, "{broken"), *SCRIPTS["complete"].events])
    assert "{broken" in caplog.text


junk = st.none() | st.integers() | st.text(max_size=3) | st.lists(st.text(max_size=2), max_size=2)
FIELDS = [
    "content", "refusal", "reasoning", "tool_call", "id", "stop_reason", "finish_reason",
    "error_type", "message", "prompt_tokens",
]  # fmt: skip
TYPES = [
    "assistant_message", "reasoning_message", "tool_call_message", "stop_reason",
    "usage_statistics", "error_message", "ping", "unknown",
]  # fmt: skip
calls = st.dictionaries(st.sampled_from(["tool_call_id", "name", "arguments"]), junk)
junk_events = st.builds(
    lambda message_type, body: ClientEvent(None, {**body, "message_type": message_type}),
    st.sampled_from(TYPES),
    st.dictionaries(st.sampled_from(FIELDS), junk | calls),
)


@given(st.lists(junk_events, max_size=6))
@settings(suppress_health_check=[HealthCheck.too_slow])
async def test_the_stream_ends_once_for_any_events(events: list[ClientEvent]) -> None:
    sent = [event.data for event in events_of(await encode(events, **EVERYTHING))]
    assert (sent.count("[DONE]"), sent[-1]) == (1, "[DONE]")
    for item in sent[:-1]:
        json.dumps(item)


# Aborts


async def recording_source(ended: list[str], go_on: asyncio.Event) -> AsyncGenerator[bytes, None]:
    """Yield one event, wait, and end; record how it ended."""
    try:
        yield write(SCRIPTS["broken"].events[0])
        await go_on.wait()
        for event in RunBuilder().stop_reason("end_turn").done().events:
            yield write(event)
        ended.append("completed")
    except BaseException as error:
        ended.append(type(error).__name__)
        raise


async def test_closing_the_stream_closes_the_source() -> None:
    ended: list[str] = []
    async with aclosing(reencode(recording_source(ended, asyncio.Event()), **REQUIRED)) as stream:
        await anext(stream)
    assert ended == ["GeneratorExit"]


async def test_an_exception_thrown_in_closes_the_source() -> None:
    ended: list[str] = []
    stream = reencode(recording_source(ended, asyncio.Event()), **REQUIRED)
    await anext(stream)
    with pytest.raises(LookupError):
        await stream.athrow(LookupError())
    assert ended == ["GeneratorExit"]


async def test_cancelling_the_consumer_cancels_the_source() -> None:
    ended: list[str] = []

    async def consume() -> None:
        async for _ in reencode(recording_source(ended, asyncio.Event()), **REQUIRED):
            pass

    consumer = asyncio.create_task(consume())
    await asyncio.sleep(0)
    consumer.cancel()
    await asyncio.wait({consumer})
    assert (consumer.cancelled(), ended) == (True, ["CancelledError"])


async def test_the_source_is_read_to_its_end_after_the_last_event() -> None:
    """Defect D77: a run whose frames were not read to the end never ended."""
    ended: list[str] = []
    go_on = asyncio.Event()
    go_on.set()
    async for _ in reencode(recording_source(ended, go_on), **REQUIRED):
        pass
    assert ended == ["completed"]
