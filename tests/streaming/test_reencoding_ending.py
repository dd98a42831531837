"""One [DONE] on every path, and nothing behind it: held against the protocol's own tables."""

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
from harness.wire.cutting import cut
from tests.streaming.reencoding import ASKED, EVERYTHING, Run, objects, sending, told, whole_answer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


SCRIPTS = {
    "as it should be": Run().text("Hi").stops("end_turn").counts().done(),
    "cancelled": Run().text("Hi").stops("cancelled").done(),
    "cancelled without an end": Run().text("Hi").stops("cancelled"),
    "failed": Run().text("Hi").stops("error").fails().done(),
    "failed without an end": Run().text("Hi").stops("error").fails(),
    "nothing but the end": Run().done(),
    "nothing at all": Run(),
    "broken off": Run().text("Hi"),
    "only pings": Run().ping().ping(),
    "two ends": Run().text("Hi").stops("end_turn").done().done(),
    "words behind the end": Run().stops("end_turn").done().text("more").fails().ping(),
    "words behind the stop": Run().stops("end_turn").text("stale").done(),
    "two stops": Run().text("Hi").stops("cancelled").stops("end_turn").done(),
}


def judged(pieces: list[bytes]) -> list[Any]:
    """Hold a stream against the protocol's tables and return its data."""
    assert pieces[-1] == write(DONE)  # not even a comment behind it
    events = list(events_of(pieces))
    assert [event.data for event in events].count("[DONE]") == 1
    assert events[-1].data == "[DONE]"
    failed = [event for event in events if isinstance(event.data, dict) and "error" in event.data]
    # Behind an error the table ends, because the SDKs stop there; ours sends its [DONE] even so.
    found = protocol("openai_chat").violations(events[:-1] if failed else events)
    assert [complaint for complaint in found if complaint.severity == "violation"] == []
    return [event.data for event in events]


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("plan", ["event", "whole", "awkward"])
async def test_the_stream_is_legal_and_ends_once_however_the_frames_came(
    script: str, plan: str
) -> None:
    pieces = cut([write(frame) for frame in SCRIPTS[script].frames], plan)
    sent = [sent async for sent in reencode(sending(pieces), **ASKED, **EVERYTHING)]
    assert judged(sent) == judged(await told(SCRIPTS[script].frames, **EVERYTHING))
    assert b"stale" not in b"".join(sent)


@pytest.mark.parametrize("script", ["nothing at all", "broken off", "only pings"])
async def test_a_run_that_broke_off_says_so(script: str) -> None:
    error = (await objects(SCRIPTS[script]))[-2]["error"]
    assert (error["type"], error["message"]) == STREAM_INCOMPLETE[::2]


async def test_text_and_bytes_are_read_alike() -> None:
    text = "".join(write(frame).decode() for frame in whole_answer().frames)
    sent = [sent async for sent in reencode(sending([text]), **ASKED)]
    assert sent == await told(whole_answer().frames)


@pytest.mark.parametrize(
    ("failure", "error_type"),
    [
        (RuntimeError("of our own"), "internal_error"),
        (StreamError(ErrorInfo(kind="timeout", message="no byte")), "llm_timeout"),
    ],
)
@pytest.mark.parametrize("script", ["nothing at all", "broken off", "as it should be", "failed"])
async def test_an_exception_of_the_source_is_told_and_logged(
    failure: Exception, error_type: str, script: str, caplog: pytest.LogCaptureFixture
) -> None:
    frames = SCRIPTS[script].frames
    source = sending(map(write, frames), failure)
    sent = judged([sent async for sent in reencode(source, **ASKED)])
    if DONE not in frames:
        assert sent[-2]["error"]["type"] == error_type
    assert [record.exc_info and record.exc_info[1] for record in caplog.records] == [failure]


async def test_a_run_cancelled_by_exception_ends_as_one_cancelled_by_frame() -> None:
    source = sending([write(frame) for frame in SCRIPTS["broken off"].frames], RunCancelled())
    sent = [sent async for sent in reencode(source, **ASKED)]
    assert judged(sent) == judged(await told(SCRIPTS["cancelled"].frames))


async def test_nothing_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    await told(whole_answer().frames, **EVERYTHING)
    assert capsys.readouterr() == ("", "")


async def test_what_is_no_frame_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        await told([ClientEvent(None, "{broken"), *SCRIPTS["as it should be"].frames])
    assert "{broken" in caplog.text


junk = st.none() | st.integers() | st.text(max_size=3) | st.lists(st.text(max_size=2), max_size=2)
FIELDS = [
    "content", "refusal", "reasoning", "tool_call", "id", "stop_reason", "finish_reason",
    "error_type", "message", "prompt_tokens",
]  # fmt: skip
TYPES = [
    "assistant_message", "reasoning_message", "tool_call_message", "stop_reason",
    "usage_statistics", "error_message", "ping", "nobody_knows",
]  # fmt: skip
calls = st.dictionaries(st.sampled_from(["tool_call_id", "name", "arguments"]), junk)
junk_frames = st.builds(
    lambda message_type, body: ClientEvent(None, {**body, "message_type": message_type}),
    st.sampled_from(TYPES),
    st.dictionaries(st.sampled_from(FIELDS), junk | calls),
)


@given(st.lists(junk_frames, max_size=6))
@settings(suppress_health_check=[HealthCheck.too_slow])
async def test_whatever_the_frames_hold_the_stream_ends_once(frames: list[ClientEvent]) -> None:
    sent = [event.data for event in events_of(await told(frames, **EVERYTHING))]
    assert (sent.count("[DONE]"), sent[-1]) == (1, "[DONE]")
    for one in sent[:-1]:
        json.dumps(one)


# Leaving


async def watched(left: list[str], ends: asyncio.Event) -> AsyncGenerator[bytes, None]:
    """Send one word, wait, and come to an end; write down how it was left."""
    try:
        yield write(SCRIPTS["broken off"].frames[0])
        await ends.wait()
        for frame in Run().stops("end_turn").done().frames:
            yield write(frame)
        left.append("at its end")
    except BaseException as error:
        left.append(type(error).__name__)
        raise


async def test_a_reader_that_leaves_closes_the_source() -> None:
    left: list[str] = []
    async with aclosing(reencode(watched(left, asyncio.Event()), **ASKED)) as stream:
        await anext(stream)
    assert left == ["GeneratorExit"]


async def test_what_a_reader_throws_in_is_no_failure_of_the_run() -> None:
    left: list[str] = []
    stream = reencode(watched(left, asyncio.Event()), **ASKED)
    await anext(stream)
    with pytest.raises(LookupError):
        await stream.athrow(LookupError())
    assert left == ["GeneratorExit"]


async def test_a_cancellation_passes() -> None:
    left: list[str] = []

    async def listen() -> None:
        async for _ in reencode(watched(left, asyncio.Event()), **ASKED):
            pass

    listener = asyncio.create_task(listen())
    await asyncio.sleep(0)
    listener.cancel()
    await asyncio.wait({listener})
    assert (listener.cancelled(), left) == (True, ["CancelledError"])


async def test_the_source_is_read_to_its_end_behind_its_last_frame() -> None:
    """Defect D77: a run whose frames were not read to the end was never brought to one."""
    left: list[str] = []
    ends = asyncio.Event()
    ends.set()
    async for _ in reencode(watched(left, ends), **ASKED):
        pass
    assert left == ["at its end"]
