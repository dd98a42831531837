"""Messages written as Messages streams come back through the SDK and the interface."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.model import (
    ErrorInfo,
    Media,
    Reasoning,
    RedactedReasoning,
    Refusal,
    ServerTool,
    Text,
    ToolCall,
    Usage,
)
from harness.protocols.anthropic_messages.encode import encode
from harness.protocols.anthropic_messages.vocabulary import FINISH
from harness.protocols.message import IN_ORDER, DeltaPlan, Message
from harness.wire.script import Script
from tests.streaming.interfaces.driving_anthropic_messages import PROTOCOL, drive_script

if TYPE_CHECKING:
    from harness.model import Event, FinishReason, Outcome, Part

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=12)
ARGUMENTS = st.dictionaries(WORDS, st.integers() | WORDS, min_size=1, max_size=2)


def _call(number: int, arguments: dict[str, Any]) -> ToolCall:
    return ToolCall(
        id=f"toolu_{number}",
        name="tool",
        arguments_raw=json.dumps(arguments, ensure_ascii=False) if arguments else "",
        arguments=arguments,
        complete=True,
    )


PARTS: st.SearchStrategy[Part] = st.one_of(
    st.builds(lambda text: Text(text=text), WORDS),
    st.builds(lambda text, url: Text(text=text, citations=({"url": url},)), WORDS, WORDS),
    st.builds(lambda text, sig: Reasoning(text=text, signature=sig), WORDS, st.none() | WORDS),
    st.builds(lambda sig: Reasoning(text="", signature=sig), WORDS),
    st.builds(lambda data: RedactedReasoning(data=data), WORDS),
    st.builds(_call, st.integers(0, 99), ARGUMENTS | st.just({})),
    st.builds(lambda data: ServerTool(name="web_search", id="s", data=data), ARGUMENTS),
    st.just(ServerTool(name="fallback", data={"type": "fallback", "to": {"model": "m"}})),
)
USAGE = st.builds(
    lambda i, c, w, o, r: Usage(
        input=i + c + w, cached=c, cache_write=w, output=o + r, reasoning=r, total=i + c + w + o + r
    ),
    *[st.integers(0, 10**6)] * 5,
)
NO_USAGE = Usage(input=0, output=0, total=0)
FINISHES: list[FinishReason] = ["stop", "tool_calls", "length", "pause"]


def listen(events: list[Event]) -> Outcome:
    return drive_script(Script(tuple(map(PROTOCOL.frame, events)), cut="awkward")).outcome


def _trusted(content: tuple[Part, ...], finish: FinishReason) -> tuple[Part, ...]:
    """Return the content as it must come back: at the limit a bare last call may be a cut one."""
    last = content[-1] if content else None
    if finish != "length" or not isinstance(last, ToolCall) or last.arguments:
        return content
    return (*content[:-1], last.model_copy(update={"arguments": None, "complete": False}))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(PARTS, max_size=6).map(tuple),
    st.sampled_from(FINISHES),
    st.none() | USAGE,
    st.integers(1, 5),
)
def test_a_message_survives_the_round_trip(
    content: tuple[Part, ...], finish: FinishReason, usage: Usage | None, width: int
) -> None:
    called = any(isinstance(part, ToolCall) for part in content)
    finish = "tool_calls" if called and finish == "stop" else finish
    plan = DeltaPlan(split=lambda text: [text[n : n + width] for n in range(0, len(text), width)])
    message = Message(content, finish=finish, usage=usage, model="m", response_id="msg_9")
    events = encode(message, plan)
    assert PROTOCOL.violations(events) == []

    outcome = listen(events)
    assert outcome.finish == finish
    assert outcome.content == _trusted(content, finish)
    assert outcome.usage == (usage or NO_USAGE)
    assert (outcome.model, outcome.response_id) == ("m", "msg_9")


@pytest.mark.parametrize("finish", sorted(set(FINISH.values()) - {"error"}))
def test_every_finish_survives_a_round_trip(finish: FinishReason) -> None:
    assert listen(encode(Message((Text(text="Hi"),), finish=finish))).finish == finish


def test_a_refusal_is_written_as_text_and_media_are_left_out() -> None:
    message = Message((Media(data="AAAA"), Refusal(text="No.")), finish="refusal")
    outcome = listen(encode(message))
    assert (outcome.content, outcome.finish) == ((Text(text="No."),), "refusal")


def test_a_server_tool_without_data_has_no_input() -> None:
    [part] = listen(encode(Message((ServerTool(name="web_search", id="s"),)))).content
    assert part == ServerTool(name="web_search", id="s", data={})


def test_counts_that_are_not_reported_are_not_written() -> None:
    events = encode(Message(usage=Usage(output=3)))
    usages = [
        event.data["usage"]
        for event in events
        if isinstance(event.data, dict) and "usage" in event.data
    ]
    assert usages == [{"output_tokens": 3}]


def test_a_truncated_message_has_no_terminal_event() -> None:
    events = encode(Message((Text(text="Hi there"),), ending="truncated"), IN_ORDER)
    assert [v.event for v in PROTOCOL.violations(events)] == [-1]
    assert listen(events).ending == "truncated"


@pytest.mark.parametrize(("code", "kind"), [("overloaded_error", "overloaded"), (None, "server")])
def test_a_failed_message_ends_with_its_error(code: str | None, kind: str) -> None:
    error = ErrorInfo(kind="server", code=code, message="no")
    outcome = listen(encode(Message((Text(text="Hi"),), ending="failed", error=error)))
    assert (outcome.text, outcome.ending) == ("Hi", "failed")
    assert outcome.error is not None
    assert (outcome.error.kind, outcome.error.message) == (kind, "no")
