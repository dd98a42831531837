"""What is encoded is legal, and comes back through the real SDK and our interface."""

from __future__ import annotations

from typing import Any

import pydantic
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
from harness.protocols.message import DeltaPlan, Message
from harness.protocols.openai_responses.vocabulary import (
    USAGE,
)
from tests.streaming.interfaces.driving_openai_responses import (
    PROTOCOL,
    drive_script,
    script,
)

words = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=1, max_size=12)
names = st.text("abcxyz_", min_size=1, max_size=6)
arguments = st.dictionaries(names, st.integers() | words, max_size=2)


@st.composite
def calls(draw: st.DrawFn) -> ToolCall:
    given_arguments = draw(arguments)
    raw = pydantic.TypeAdapter(dict[str, Any]).dump_json(given_arguments).decode()
    complete = draw(st.booleans())
    return ToolCall(
        id=f"call_{draw(names)}",
        name=draw(names),
        arguments_raw=raw if complete else raw[: draw(st.integers(0, len(raw)))],
        arguments=given_arguments if complete else None,
        complete=complete,
    )


parts = st.one_of(
    st.builds(Text, text=words),
    st.builds(Refusal, text=words),
    st.builds(Reasoning, text=words, signature=st.none() | words),
    st.builds(lambda a, b: Reasoning(text=f"{a}\n\n{b}"), words, words),
    calls(),
)
counts = st.integers(0, 10_000)
usages = st.none() | st.builds(
    Usage, input=counts, cached=st.none() | counts, output=counts, reasoning=st.none() | counts
)
FINISHES = ("stop", "length", "content_filter", "pause")


@st.composite
def messages(draw: st.DrawFn) -> Message:
    return Message(
        content=tuple(draw(st.lists(parts, max_size=6))),
        finish=draw(st.sampled_from(FINISHES)),
        usage=draw(usages),
        ending=draw(st.sampled_from(["complete", "truncated"])),
    )


@given(messages(), st.randoms(use_true_random=False), st.sampled_from([list, lambda text: [text]]))
@settings(max_examples=80, deadline=None)
def test_an_encoded_message_is_legal_and_survives_a_round_trip(
    message: Message, dice: Any, split: Any
) -> None:
    plan = DeltaPlan(split=split, pick=dice.randrange)
    events = PROTOCOL.encode(message, plan)
    found = PROTOCOL.violations(events)
    outcome = drive_script(script(events)).outcome
    assert outcome.content == message.content
    if message.ending == "truncated":
        assert [one.event for one in found] == [-1]
        assert outcome.ending == "truncated"
        return
    assert found == []
    assert outcome.usage == (message.usage and with_total(message.usage))
    assert (outcome.response_id, outcome.model) == (message.response_id, message.model)
    implied = {"tool_calls", "refusal"} if message.finish == "stop" else set()
    assert outcome.finish in {message.finish, *implied}


def with_total(usage: Usage) -> Usage:
    return usage.model_copy(update={"total": (usage.input or 0) + (usage.output or 0)})


def test_parts_of_other_kinds_are_items_of_their_own() -> None:
    message = Message(
        content=(
            RedactedReasoning(data="blob"),
            ServerTool(name="web_search_call", id="ws_7"),
            ServerTool(name="brave_search", id="x_1"),
            Media(media_type="image/webp", data="AA=="),
            Media(data="AQ=="),
            Reasoning(text="a\n\n"),
        )
    )
    events = PROTOCOL.encode(message, DeltaPlan())
    assert PROTOCOL.violations(events) == []
    content = drive_script(script(events)).outcome.content
    assert content[0] == Reasoning(text="", signature="blob")
    assert [(tool.name, tool.id) for tool in content if isinstance(tool, ServerTool)] == [
        ("web_search_call", "ws_7"),
        ("mcp_call", "x_1"),
    ]
    assert content[3:] == (
        Media(media_type="image/webp", data="AA=="),
        Media(media_type="image/png", data="AQ=="),
        Reasoning(text="a\n\n"),
    )


def test_calls_overlap_as_the_plan_picks() -> None:
    one, two = (
        ToolCall(id=f"c{n}", name=f"f{n}", arguments_raw="{}", arguments={}, complete=True)
        for n in (1, 2)
    )
    in_order = PROTOCOL.encode(Message(content=(one, two)), DeltaPlan())
    newest_first = PROTOCOL.encode(
        Message(content=(one, two)), DeltaPlan(pick=lambda sequences: sequences - 1)
    )
    places = [
        [
            event.data["output_index"]
            for event in events
            if isinstance(event.data, dict) and "output_index" in event.data
        ]
        for events in (in_order, newest_first)
    ]
    assert places == [[0] * 4 + [1] * 4, [0] + [1] * 4 + [0] * 3]


@pytest.mark.parametrize(
    ("fields", "last"),
    [
        ({"finish": "length"}, "response.incomplete"),
        ({"finish": "error"}, "response.failed"),
        ({"error": ErrorInfo(kind="server", code=None)}, "response.failed"),
        ({"finish": "tool_calls"}, "response.completed"),
        ({"finish": "cancelled"}, "response.in_progress"),
        ({"ending": "truncated"}, "response.in_progress"),
    ],
)
def test_how_a_message_ends(fields: dict[str, Any], last: str) -> None:
    events = PROTOCOL.encode(Message(**fields), DeltaPlan())
    assert events[-1].name == last


def test_usage_is_written_as_the_provider_does() -> None:
    usage = Usage(input=10, cached=4, cache_write=2, output=5, reasoning=3, total=15)
    data = PROTOCOL.encode(Message(usage=usage), DeltaPlan())[-1].data
    assert isinstance(data, dict)
    assert data["response"]["usage"] == {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": 15,
    }
    assert set(USAGE) == set(Usage.model_fields)
