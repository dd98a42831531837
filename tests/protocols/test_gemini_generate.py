"""Gemini's tables: legal order, words against the SDK, and messages that survive the round trip."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from google.genai import types
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import InputError
from harness.model import (
    ErrorInfo,
    Event,
    Media,
    Reasoning,
    RedactedReasoning,
    Refusal,
    ServerTool,
    Text,
    ToolCall,
    Usage,
)
from harness.protocols.composing import entry_of
from harness.protocols.message import DeltaPlan, Message
from harness.scenarios import load_all
from harness.streaming.interfaces.gemini_generate.interface import GeminiGenerateInterface
from tests.streaming.interfaces.gemini_sdk import PROTOCOL, Body, Sdk, frames

if TYPE_CHECKING:
    from enum import Enum

    from pydantic import BaseModel

    from harness.model import JSON, FinishReason, Outcome, Part
    from harness.scenarios import Scenario

SDK = Sdk()
SIGNATURE = "c2lnbmF0dXJl"


def composed(*entries: JSON) -> list[Event]:
    found = PROTOCOL.composer().compose(map(entry_of, entries))
    return [event for event in found if isinstance(event, Event)]


def sentences(*entries: JSON) -> list[str]:
    return [found.sentence for found in PROTOCOL.violations(composed(*entries))]


def severities(*entries: JSON) -> list[str]:
    return [found.severity for found in PROTOCOL.violations(composed(*entries))]


# Words


@pytest.mark.parametrize(
    ("category", "model"),
    [
        ("response", types.GenerateContentResponse),
        ("candidate", types.Candidate),
        ("part", types.Part),
        ("usage", types.GenerateContentResponseUsageMetadata),
        ("finish", types.FinishReason),
        ("block_reason", types.BlockedReason),
    ],
)
def test_every_word_of_the_sdk_is_in_a_table_or_has_a_reason(
    category: str, model: type[BaseModel | Enum]
) -> None:
    known = PROTOCOL.vocabulary[category]
    aside = PROTOCOL.unmodelled.get(category, {})
    fields = getattr(model, "model_fields", None)
    words = set(fields) if fields else {str(member.value) for member in model}  # type: ignore[union-attr]  # the other kind is an enum
    assert known | aside.keys() == words
    assert not known & aside.keys()
    assert all(aside.values())


# Order


@pytest.mark.parametrize(
    "entries",
    [
        [{"finish": "STOP"}],
        [{"text": "Hi"}, {"thought": "hm"}, {"text": "Hi"}, {"finish": "STOP"}],
        [{"block": "SAFETY"}],
        [{"text": "Hi"}, {"error": {"code": 503}}],
        [{"usage": {"promptTokenCount": 1}}, {"finish": "STOP"}],
        [{"text": {"text": "Hi", "at": [1]}}, {"finish": "STOP"}],
        [{"finish": {"finishReason": "STOP", "at": [1]}}, {"finish": "STOP"}],
        [
            {"function_call": {"name": "a", "willContinue": True}},
            {"function_call": {"partialArgs": [], "willContinue": True}},
            {"function_call": {}},
            {"function_call": {"name": "b"}},
            {"finish": {"content": "$absent"}},
        ],
        [
            {"executable_code": {"code": "1"}},
            {"code_execution_result": {"output": "1"}},
            {"inline_data": {"data": ""}},
            {"file_data": {"fileUri": ""}},
            {"tool_call": {}},
            {"tool_response": {}},
            {"parts": [{"thoughtSignature": SIGNATURE}]},
            {"finish": "STOP"},
        ],
    ],
)
def test_legal_streams(entries: list[JSON]) -> None:
    assert sentences(*entries) == []


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([{"text": "Hi"}], "the stream ended while stream is 'open'; no terminal event was sent"),
        ([{"parts": [{}]}, {"finish": "STOP"}], "part without data"),
        ([{"parts": [{"new": 1}]}, {"finish": "STOP"}], "part of new"),
        (
            [{"parts": [{"text": "", "functionCall": {}}]}, {"finish": "STOP"}],
            "part of functionCall+text",
        ),
        ([{"function_call": {}}, {"finish": "STOP"}], "candidate is 'open'"),
        (
            [{"function_call": {"name": "a", "willContinue": True}}, {"finish": "STOP"}],
            "candidate is 'call open'; legal here: function_call.end, function_call.piece",
        ),
        ([{"block": "SAFETY"}, {"text": "Hi"}, {"finish": "STOP"}], "stream is 'blocked'"),
        ([{"event": {"name": "ping", "data": {}}}, {"finish": "STOP"}], "event: ping"),
        (
            [{"event": {"data": "[DONE]"}}, {"finish": "STOP"}],
            "data that is not an object ('[DONE]')",
        ),
    ],
)
def test_illegal_streams_are_reported(entries: list[JSON], words: str) -> None:
    found = sentences(*entries)
    assert found
    assert words in found[0]


def test_a_finish_reason_on_every_chunk_is_open() -> None:
    stop = {"text": {"text": "Hi", "finishReason": "STOP"}}
    assert set(severities(stop, stop)) == {"open"}


SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
FIELDS = st.sampled_from(
    [
        *("candidates", "content", "parts", "text", "functionCall", "finishReason", "index"),
        *("promptFeedback", "blockReason", "error", "usageMetadata", "willContinue", "name"),
    ]
)
JSONS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(JSONS, max_size=4))
def test_the_validator_never_raises(values: list[JSON]) -> None:
    events = [Event(None, value if isinstance(value, dict) else str(value)) for value in values]
    assert isinstance(PROTOCOL.violations(events), list)


# The short hand


def test_each_field_is_written_where_it_belongs() -> None:
    payload = {
        "name": "get",
        "args": {},
        "thoughtSignature": SIGNATURE,
        "finishReason": "STOP",
        "usageMetadata": {"promptTokenCount": 1},
        "at": [2],
    }
    [event] = composed({"function_call": payload})
    assert event.data == {
        "candidates": [
            {
                "content": {
                    "parts": [
                        {
                            "functionCall": {"name": "get", "args": {}},
                            "thoughtSignature": SIGNATURE,
                        }
                    ],
                    "role": "model",
                },
                "index": 2,
                "finishReason": "STOP",
            }
        ],
        "modelVersion": "gemini-2.5-flash",
        "responseId": "resp_1",
        "usageMetadata": {"promptTokenCount": 1},
    }


def test_a_response_may_be_written_verbatim() -> None:
    [event] = composed({"response": {"candidates": None}})
    assert event == Event(None, {"candidates": None})


def test_lines_end_with_crlf() -> None:
    [frame] = frames({"response": {"a": 1}})
    assert frame == b'data: {"a":1}\r\n\r\n'


def test_a_payload_that_does_not_fit_is_an_input_error() -> None:
    with pytest.raises(InputError, match="function_call"):
        composed({"function_call": 3})


# Messages


WORDS = st.text("aé \U0001f600\n", min_size=1, max_size=8)
SIGNED = st.sampled_from(["c2ln", "b3RoZXI=", "AAEC"])
ARGUMENTS = st.dictionaries(
    st.sampled_from(["cityName", "b", "é"]),
    st.integers(0, 9) | WORDS | st.lists(st.booleans(), max_size=2),
    max_size=2,
)


def _call(name: str, arguments: dict[str, Any], signature: str | None) -> ToolCall:
    raw = json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))
    return ToolCall(
        id=name,
        name=name,
        arguments_raw=raw,
        arguments=arguments,
        complete=True,
        signature=signature,
    )


PARTS = st.one_of(
    st.builds(Text, text=WORDS, signature=st.none() | SIGNED),
    st.builds(Reasoning, text=WORDS, signature=st.none() | SIGNED),
    st.builds(_call, st.sampled_from(["get", "put"]), ARGUMENTS, st.none() | SIGNED),
    st.builds(
        ServerTool,
        name=st.just("executable_code"),
        data=st.builds(lambda code: {"code": code, "language": "PYTHON"}, WORDS),
        signature=st.none() | SIGNED,
    ),
    st.builds(Media, media_type=st.just("image/png"), data=SIGNED, signature=st.none() | SIGNED),
)


@st.composite
def contents(draw: st.DrawFn) -> tuple[Part, ...]:
    """Draw parts that stay apart: unsigned words of one kind beside each other are one part."""
    content: list[Part] = []
    for number, part in enumerate(draw(st.lists(PARTS, max_size=5))):
        if isinstance(part, ToolCall):
            content.append(part.model_copy(update={"id": f"id_{number}"}))
            continue
        before = content[-1] if content else None
        same = before is not None and before.kind == part.kind in {"text", "reasoning"}
        if not same or getattr(part, "signature", None) or getattr(before, "signature", None):
            content.append(part)
    return tuple(content)


COUNT = st.none() | st.integers(0, 99)


@st.composite
def usages(draw: st.DrawFn) -> Usage | None:
    """Draw counts a Gemini response can report."""
    counts = {name: draw(COUNT) for name in ("input", "cached", "reasoning", "total")}
    output = draw(COUNT)
    if counts["reasoning"] is not None:
        output = counts["reasoning"] + (output or 0)
    if counts["total"] is None and None not in (counts["input"], output):
        counts["total"] = counts["input"] + output  # type: ignore[operator]  # neither is None
    usage = Usage(**counts, output=output)
    return None if usage == Usage() else usage


FINISHES: st.SearchStrategy[FinishReason] = st.sampled_from(
    ["stop", "length", "content_filter", "pause", "error", "unknown"]
)


@settings(max_examples=60, deadline=None)
@given(contents(), usages(), FINISHES, st.data(), st.integers(1, 4))
async def test_a_message_survives_the_round_trip(
    content: tuple[Part, ...],
    usage: Usage | None,
    finish: FinishReason,
    data: st.DataObject,
    size: int,
) -> None:
    plan = DeltaPlan(
        split=lambda text: [text[at : at + size] for at in range(0, len(text), size)],
        pick=lambda sequences: data.draw(st.integers(0, sequences - 1)),
    )
    events = PROTOCOL.encode(Message(content=content, usage=usage, finish=finish), plan)
    assert PROTOCOL.violations(events) == []
    outcome = await _read(events)
    assert outcome.content == content
    assert outcome.usage == usage
    named = "tool_calls" if finish == "stop" and outcome.tool_calls else finish
    assert outcome.finish == named


async def _read(events: list[Event]) -> Outcome:
    interface = GeminiGenerateInterface()
    await SDK.read(Body(PROTOCOL.frame(event) for event in events), interface)
    return interface.outcome()


async def test_what_gemini_has_no_part_for_is_written_as_the_nearest_part() -> None:
    search = ServerTool(name="GOOGLE_SEARCH_WEB", data={"toolType": "GOOGLE_SEARCH_WEB"})
    content = (Refusal(text="No."), RedactedReasoning(data=SIGNATURE), search)
    outcome = await _read(PROTOCOL.encode(Message(content=content), DeltaPlan()))
    assert outcome.content == (Text(text="No."), Reasoning(text="", signature=SIGNATURE), search)


async def test_a_call_that_is_not_complete_stays_open() -> None:
    cut = ToolCall(id=None, name="get", arguments_raw="{", arguments=None, complete=False)
    outcome = await _read(PROTOCOL.encode(Message(content=(cut,), ending="truncated"), DeltaPlan()))
    assert [(c.name, c.complete) for c in outcome.tool_calls] == [("get", False)]
    assert outcome.ending == "truncated"


async def test_an_empty_server_tool_and_an_id_are_written() -> None:
    made = _call("get", {"b": 1}, None)
    content = (ServerTool(name="tool_response"), made)
    outcome = await _read(PROTOCOL.encode(Message(content=content), DeltaPlan()))
    assert outcome.content == (ServerTool(name="tool_response", data={}), made)


async def test_a_failed_message_ends_with_its_error() -> None:
    error = ErrorInfo(kind="overloaded", code="UNAVAILABLE", message="busy", retryable=True)
    events = PROTOCOL.encode(Message(content=(Text(text="Hi"),), error=error), DeltaPlan())
    outcome = await _read(events)
    assert PROTOCOL.violations(events) == []
    assert (outcome.text, outcome.error) == ("Hi", error)


# Scenarios


SCENARIOS = Path(__file__).parents[2] / "scenarios"


def _scenarios() -> dict[str, Scenario]:
    found, errors = load_all(SCENARIOS)
    assert not [error for error in errors if PROTOCOL.name in str(error)]
    return {one.id.removeprefix("gemini_generate/"): one for one in found if one.id.startswith("g")}


def test_every_case_of_the_catalogue_has_a_scenario() -> None:
    cited = {case for scenario in _scenarios().values() for case in scenario.cases}
    assert {case for case in cited if case.startswith("GE")} == {f"GE-{n:03}" for n in range(1, 28)}


def test_every_sentence_of_the_spec_has_a_check_that_exists_or_a_reason() -> None:
    scenarios = _scenarios()
    for sentence in yaml.safe_load((SCENARIOS / "gemini_generate" / "SPEC.yaml").read_text()):
        assert sentence["says"]
        assert sentence["url"].startswith("https://")
        assert ("held_by" in sentence) != ("excluded" in sentence), sentence
        for held in sentence.get("held_by", ()):
            scenario_id, _, check = held.partition(":")
            assert check in {*scenarios[scenario_id].must, *scenarios[scenario_id].should}, held
