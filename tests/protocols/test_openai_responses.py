"""The Responses tables, skeletons and encode, held against the SDK's own unions and models."""

from __future__ import annotations

import types
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import httpx2
import openai
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.responses import Response, ResponseOutputItem, ResponseStreamEvent, ResponseUsage
from openai.types.responses.response_content_part_added_event import Part
from openai.types.responses.response_reasoning_summary_part_added_event import (
    Part as SummaryPart,
)

from harness.errors import InputError
from harness.model import (
    Event,
)
from harness.playback.response_registry import ResponseRegistry
from harness.playback.transport import MEMORY_URL, memory_transport
from harness.protocols.openai_responses.vocabulary import (
    CLIENT_CALLS,
    FIELD_EVENTS,
    HOSTED,
    PROGRESS,
)
from harness.scenarios import load_all
from tests.streaming.interfaces.driving_openai_responses import (
    ADDED,
    DELTA,
    DONE,
    OPEN,
    PROTOCOL,
    START,
    TEXT_DONE,
    composed,
    script,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pydantic

CLOSE = (TEXT_DONE, "response.content_part.done", DONE)


# The words of the installed SDK


def members(annotation: Any) -> Iterator[Any]:
    """Yield the members of a union, however it is wrapped."""
    while True:
        if hasattr(annotation, "__value__"):
            annotation = annotation.__value__
        elif get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        else:
            break
    if get_origin(annotation) in {Union, types.UnionType}:
        for member in get_args(annotation):
            yield from members(member)
    else:
        yield annotation


def literals(annotation: Any) -> set[str]:
    found = (get_args(m) for m in members(annotation) if get_origin(m) is Literal)
    return {str(value) for values in found for value in values}


def types_of(union: Any) -> set[str]:
    fields = (member.model_fields["type"].annotation for member in members(union))
    return {word for annotation in fields for word in literals(annotation)}


def count_paths(model: type[pydantic.BaseModel], path: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner = [m for m in members(field.annotation) if hasattr(m, "model_fields")]
        if inner:
            yield from count_paths(inner[0], f"{path}{name}.")
        else:
            yield f"{path}{name}"


SDK_WORDS: dict[str, set[str]] = {
    "event": types_of(ResponseStreamEvent),
    "item": types_of(ResponseOutputItem),
    "part": types_of(Part) | types_of(SummaryPart),
    "status": literals(Response.model_fields["status"].annotation),
    "incomplete": {
        word
        for member in members(Response.model_fields["incomplete_details"].annotation)
        if hasattr(member, "model_fields")
        for word in literals(member.model_fields["reason"].annotation)
    },
    "usage": set(count_paths(ResponseUsage)),
}
WIRE_ONLY = {"keepalive"}


@pytest.mark.parametrize("category", sorted(SDK_WORDS))
def test_every_word_of_the_sdk_is_in_a_table_or_has_a_reason(category: str) -> None:
    known = PROTOCOL.vocabulary[category]
    unmodelled = PROTOCOL.unmodelled.get(category, {})
    assert not known & set(unmodelled)
    assert all(unmodelled.values())
    assert (known | set(unmodelled)) - WIRE_ONLY == SDK_WORDS[category]


def test_the_number_of_words_of_the_sdk_is_the_reviewed_one() -> None:
    counted = {category: len(words) for category, words in SDK_WORDS.items()}
    assert counted == {
        "event": 59, "item": 28, "part": 4, "status": 6, "incomplete": 4, "usage": 8,
    }  # fmt: skip


def test_every_end_has_a_finish() -> None:
    assert PROTOCOL.vocabulary["incomplete"] < set(PROTOCOL.finish)
    assert PROTOCOL.vocabulary["status"] < set(PROTOCOL.finish)


def test_the_tables_name_existing_items_only() -> None:
    named = {*CLIENT_CALLS, *HOSTED, *(item for item, _ in FIELD_EVENTS.values())}
    assert named <= set(PROGRESS)


def data_of(*entries: Any) -> list[dict[str, Any]]:
    """Return the data of what was composed: objects, all of them."""
    events = (event for event in composed(*entries) if isinstance(event, Event))
    return [event.data for event in events if isinstance(event.data, dict)]


# Legal order


def violations(*entries: Any) -> list[str]:
    events = [event for event in composed(*entries) if isinstance(event, Event)]
    return [f"{found.severity}: {found.sentence}" for found in PROTOCOL.violations(events)]


@pytest.mark.parametrize(
    "entries",
    [
        ["response.created", "response.queued", "response.in_progress", "response.completed"],
        ["response.created", "response.failed"],
        ["response.created", {"error": {}}],
        ["error"],
        [*START, "keepalive", *OPEN, {DELTA: "a"}, *CLOSE, "response.completed"],
        [*START, ADDED, DONE, "response.incomplete"],
        [*START, *OPEN, {DELTA: "a"}, "response.failed"],
    ],
)
def test_legal(entries: list[Any]) -> None:
    assert violations(*entries) == []


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (["response.in_progress", "response.completed"], "open: event 0"),
        (["error", "response.failed"], "open: event 1"),
        (
            [*START, {ADDED: {"item": {"type": "function_call"}}}, DONE, "response.completed"],
            "open: event 3",
        ),
    ],
)
def test_open(entries: list[Any], words: str) -> None:
    [sentence] = violations(*entries)
    assert sentence.startswith(words)


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([*START], "no terminal event was sent"),
        ([ADDED], "response is 'not started'"),
        (["response.created", "response.queued", ADDED], "response is 'queued'"),
        ([*START, {DELTA: {"at": [0, 0]}}], "item is 'absent'"),
        ([*START, ADDED, DELTA], "part is 'absent'"),
        ([*START, *OPEN, DONE], "waits for part[0,0]"),
        ([*START, ADDED, "response.completed"], "waits for item[0]"),
        ([*START, {ADDED: {"at": [1]}}], "index 1 is new, the next item is 0"),
        ([*START, {ADDED: {"output_index": "$absent"}}], "index -1 is new"),
        ([*START, *OPEN, {DELTA: "a"}, *CLOSE, {DELTA: "b"}], "item is 'closed'"),
        ([*START, "response.completed", "response.completed"], "response is 'ended'"),
        ([*START, {ADDED: {"item": {"type": "hologram"}}}], "this event is in no table"),
        ([*START, {ADDED: {"item": None}}], "response.output_item.added[None]"),
        ([{"event": {"data": "[DONE]"}}], "data that is not an object ('[DONE]')"),
    ],
)
def test_illegal(entries: list[Any], words: str) -> None:
    assert any(words in sentence for sentence in violations(*entries))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)
odd_data = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(sorted(PROTOCOL.vocabulary["event"])) | json_values,
        "output_index": json_values,
        "content_index": json_values,
        "item": json_values | st.fixed_dictionaries({"type": json_values}),
        "part": json_values,
    },
)


@given(st.lists(st.builds(Event, st.none() | st.text(max_size=3), odd_data | st.text(max_size=5))))
@settings(max_examples=100, deadline=None)
def test_the_validator_never_raises(events: list[Event]) -> None:
    for found in PROTOCOL.violations(events):
        assert found.sentence


# Skeletons


def test_every_event_type_can_be_written() -> None:
    words = PROTOCOL.composer().words()
    assert set(PROTOCOL.vocabulary["event"]) | set(PROTOCOL.unmodelled["event"]) <= words
    for word in PROTOCOL.vocabulary["event"]:
        [_, data] = data_of({ADDED: {"item": {"type": "message"}}}, word)
        assert (data["type"], data["sequence_number"]) == (word, 1)


def test_later_events_repeat_what_earlier_ones_contain() -> None:
    written = data_of(
        *START,
        *OPEN,
        {DELTA: "Hel"},
        {DELTA: {"delta": "lo"}},
        "response.output_text.annotation.added",
        *CLOSE,
        {"call": {"name": "f", "arguments": ["{", "}"]}},
        {"response.completed": {"response": {"id": "resp_9", "usage": None}}},
    )
    texts = [data["text"] for data in written if data["type"] == "response.output_text.done"]
    assert texts == ["Hello"]
    response = written[-1]["response"]
    [message, called] = response["output"]
    [part] = message["content"]
    assert (part["text"], len(part["annotations"]), message["id"]) == ("Hello", 1, "msg_1")
    assert (called["arguments"], called["call_id"]) == ("{}", "call_2")
    assert (response["id"], response["usage"]) == ("resp_9", None)


def test_numbering_continues_from_a_written_number() -> None:
    seventh, without = ({"keepalive": {"sequence_number": n}} for n in (7, "$absent"))
    written = data_of("keepalive", seventh, "keepalive", without, "keepalive")
    assert [data.get("sequence_number") for data in written] == [0, 7, 8, None, 9]


def test_a_wrong_payload_is_an_input_error() -> None:
    with pytest.raises(InputError, match=r"response\.output_item\.added"):
        composed({ADDED: {"at": "zero"}})


def test_a_composed_stream_is_what_the_sdk_expects() -> None:
    """With strict validation the SDK refuses a missing field or a wrong type."""
    events = composed(
        *START,
        {"reasoning": {"says": ["one", "two"], "encrypted": "gAAAA"}},
        {"text": "Hello you"},
        {"refusal": "No."},
        {"call": {"name": "f", "arguments": "{}"}},
        "response.completed",
    )
    stage = ResponseRegistry()
    key = stage.register(script(events))
    with httpx2.Client(transport=memory_transport(stage)) as http:
        client = openai.OpenAI(
            api_key="k",
            base_url=f"{MEMORY_URL}/{key}",
            http_client=http,
            _strict_response_validation=True,
        )
        stream = client.responses.create(stream=True, **PROTOCOL.request)
        assert len(list(stream)) == len(events)


# Scenarios

ROOT = Path(__file__).parents[2] / "scenarios"
CASES = {f"OR-{number:03}" for number in range(1, 39)} | {f"TR-{n:03}" for n in range(1, 23)}


def spec() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(
        (ROOT / "openai_responses" / "SPEC.yaml").read_text()
    )
    return found


def test_every_sentence_of_the_spec_has_a_check_that_exists() -> None:
    loaded, errors = load_all(ROOT / "openai_responses")
    assert errors == []
    known = {
        f"{scenario.id}:{check}"
        for scenario in loaded
        for check in (*scenario.must, *scenario.should)
    }
    for sentence in spec():
        assert {"says", "url"} < set(sentence)
        assert set(sentence.get("held_by", ())) <= known
        assert bool(sentence.get("held_by")) != bool(sentence.get("excluded"))


def test_every_case_of_the_catalogue_has_a_scenario_or_a_reason() -> None:
    loaded, _ = load_all(ROOT / "openai_responses")
    cited = {case for scenario in loaded for case in scenario.cases}
    excluded = " ".join(sentence["says"] for sentence in spec() if "excluded" in sentence)
    assert {case for case in CASES - cited if case not in excluded} == set()
