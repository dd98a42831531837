"""The Messages tables: complete against the SDK, right about order, and easily written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

import pytest
import yaml
from anthropic import types
from anthropic.types import beta
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from harness.errors import InputError
from harness.model import Event
from harness.protocols import protocol
from harness.protocols.anthropic_messages.vocabulary import DELTA_FIELDS, DELTAS_OF
from harness.protocols.composing import entry_of
from harness.protocols.grammar import Step

if TYPE_CHECKING:
    from collections.abc import Iterator

PROTOCOL = protocol("anthropic_messages")
SCENARIOS = Path(__file__).parents[2] / "scenarios" / "anthropic_messages"


def compose(*entries: Any) -> list[Any]:
    return list(PROTOCOL.composer().compose(map(entry_of, entries)))


def severities(*entries: Any) -> list[tuple[str, str]]:
    return [(v.severity, v.sentence) for v in PROTOCOL.violations(compose(*entries))]


# The tables against the SDK: the plain types and the beta ones


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models of a union, however it is annotated or aliased."""
    annotation = getattr(annotation, "__value__", annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        return
    members = get_args(annotation)
    for member in members[:1] if get_origin(annotation) is Annotated else members:
        yield from _models(member)


def _tags(annotation: Any) -> set[str]:
    return {tag for m in _models(annotation) for tag in get_args(m.model_fields["type"].annotation)}


def _literals(annotation: Any) -> set[str]:
    annotation = getattr(annotation, "__value__", annotation)
    if get_origin(annotation) is Literal:
        return set(get_args(annotation))
    return set().union(*map(_literals, get_args(annotation)))


def _usage(model: type[BaseModel]) -> set[str]:
    """Return the names of what a usage object holds; of details, each of their own."""
    found = set(model.model_fields)
    for details in _models(model.model_fields["output_tokens_details"].annotation):
        found |= {f"output_tokens_details.{name}" for name in details.model_fields}
    return found - {"output_tokens_details"}


def _annotation(model: type[BaseModel], field: str) -> Any:
    return model.model_fields[field].annotation


SDK_WORDS = {
    "event": _tags(types.RawMessageStreamEvent) | _tags(beta.BetaRawMessageStreamEvent),
    "block": _tags(_annotation(types.RawContentBlockStartEvent, "content_block"))
    | _tags(_annotation(beta.BetaRawContentBlockStartEvent, "content_block")),
    "delta": _tags(types.RawContentBlockDelta) | _tags(beta.BetaRawContentBlockDelta),
    "finish": _literals(types.StopReason) | _literals(beta.BetaStopReason),
    "usage": _usage(types.Usage)
    | _usage(types.MessageDeltaUsage)
    | _usage(beta.BetaUsage)
    | _usage(beta.BetaMessageDeltaUsage),
}


@pytest.mark.parametrize("category", SDK_WORDS)
def test_every_word_of_the_sdk_is_in_a_table_or_has_a_reason(category: str) -> None:
    known = PROTOCOL.vocabulary[category]
    reasons = PROTOCOL.unmodelled.get(category, {})
    assert SDK_WORDS[category] - known - reasons.keys() == set()
    assert known & reasons.keys() == set()
    assert reasons.keys() - SDK_WORDS[category] == set(), "a reason for a word the SDK has not"


def test_the_enumeration_of_the_sdk_is_not_empty() -> None:
    sizes = {category: len(words) for category, words in SDK_WORDS.items()}
    assert sizes == {"event": 6, "block": 18, "delta": 6, "finish": 8, "usage": 12}


def test_events_without_an_sdk_type_are_in_the_tables() -> None:
    """Pings and errors never reach the SDK's union: it drops the one and raises the other."""
    assert PROTOCOL.vocabulary["event"] - SDK_WORDS["event"] == {"ping", "error"}
    assert {d for deltas in DELTAS_OF.values() for d in deltas} == set(DELTA_FIELDS)


# Order

HI: tuple[Any, ...] = (
    {"content_block_start": {"at": [0]}},
    {"text_delta": {"at": [0], "text": "Hi"}},
    {"content_block_stop": {"at": [0]}},
)
ANSWER: tuple[Any, ...] = ("message_start", "ping", *HI, "message_delta", "message_stop")


def start(index: int, block: str) -> dict[str, Any]:
    return {"content_block_start": {"at": [index], "content_block": {"type": block}}}


def stop(index: int) -> dict[str, Any]:
    return {"content_block_stop": {"at": [index]}}


def test_the_documented_order_is_legal() -> None:
    assert severities(*ANSWER) == []


def test_pings_are_legal_everywhere_and_several_message_deltas_are_legal() -> None:
    everywhere = [entry for one in ANSWER for entry in ("ping", one, "ping")]
    assert severities(*everywhere) == []
    assert severities(*ANSWER[:-1], "message_delta", "message_stop") == []


def test_an_error_may_take_the_place_of_anything() -> None:
    for count in range(len(ANSWER)):
        assert severities(*ANSWER[:count], "error") == []


@pytest.mark.parametrize("block", DELTAS_OF)
def test_every_block_may_grow_by_its_own_deltas_or_not_at_all(block: str) -> None:
    grown = [{delta: {"at": [0]}} for delta in DELTAS_OF[block]]
    assert severities("message_start", start(0, block), *grown, stop(0), *ANSWER[-2:]) == []
    assert severities("message_start", start(0, block), stop(0), *ANSWER[-2:]) == []


ILLEGAL: dict[str, tuple[Any, ...]] = {
    "no message_start": ANSWER[2:],
    "two message_starts": ("message_start", *ANSWER),
    "an index left out": ("message_start", start(1, "text"), stop(1), *ANSWER[-2:]),
    "no index": ("message_start", {"event": {"data": {"type": "content_block_stop"}}},
                 *ANSWER[-2:]),
    "a delta without a start": ("message_start", HI[1], *ANSWER[-2:]),
    "a stop without a start": ("message_start", stop(0), *ANSWER[-2:]),
    "two stops": (*ANSWER[:-2], stop(0), *ANSWER[-2:]),
    "a delta after the stop": (*ANSWER[:-2], HI[1], *ANSWER[-2:]),
    "a delta of another kind": ("message_start", HI[0], {"thinking_delta": {"at": [0]}}, stop(0),
                                *ANSWER[-2:]),
    "a delta in a redacted block": ("message_start", start(0, "redacted_thinking"), HI[1], stop(0),
                                    *ANSWER[-2:]),
    "a message_delta while a block is open": ("message_start", *HI[:2], *ANSWER[-2:]),
    "a block after the message_delta": (*ANSWER[:-1], start(1, "text"), stop(1), "message_stop"),
    "a message_stop without a message_delta": (*ANSWER[:-2], "message_stop"),
    "two message_stops": (*ANSWER, "message_stop"),
    "no terminal": ANSWER[:-1],
    "an error after the end": (*ANSWER, "error"),
    "an unknown event": (*ANSWER[:-1], {"event": {"data": {"type": "weather"}}}, "message_stop"),
    "an unknown block": ("message_start", start(0, "poem"), stop(0), *ANSWER[-2:]),
    "text where JSON should be": (*ANSWER, {"event": {"data": "[DONE]"}}),
}  # fmt: skip


@pytest.mark.parametrize("order", ILLEGAL)
def test_an_illegal_order_is_reported(order: str) -> None:
    assert "violation" in {severity for severity, _ in severities(*ILLEGAL[order])}


def test_a_violation_lists_the_legal_events() -> None:
    assert severities("message_start", *HI[:2], *ANSWER[-2:]) == [
        ("violation", "event 3 message_delta: waits for block[0], which is 'text'"),
        ("violation", "event 4 message_stop: waits for block[0], which is 'text'"),
    ]


WHOLE = {"message_start": {"message": {"stop_reason": "end_turn"}}}
OPEN: dict[str, tuple[Any, ...]] = {
    "a message that is complete at its start": (WHOLE, "message_stop"),
    "blocks that overlap": ("message_start", start(0, "text"), start(1, "tool_use"),
                            stop(0), stop(1), *ANSWER[-2:]),
}  # fmt: skip


@pytest.mark.parametrize("order", OPEN)
def test_an_open_order_is_reported_as_open(order: str) -> None:
    assert {severity for severity, _ in severities(*OPEN[order])} == {"open"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "index", "delta", "content_block", "message", "stop_reason", "usage"]
            ),
            inner | st.sampled_from(sorted(PROTOCOL.vocabulary["event"])),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.lists(JSON, max_size=4))
def test_the_validator_never_raises(bodies: list[Any]) -> None:
    PROTOCOL.violations(
        Event(None, body if isinstance(body, dict) else str(body)) for body in bodies
    )


def test_an_event_is_read_by_its_type_block_and_index() -> None:
    read = [PROTOCOL.read(event)[0] for event in compose(*ANSWER[2:5], WHOLE)]
    assert read == [
        Step("content_block_start[text]", (0,)),
        Step("content_block_delta[text_delta]", (0,)),
        Step("content_block_stop", (0,)),
        Step("message_start[whole]"),
    ]


# The short hand


def test_a_block_is_completed_with_the_fields_of_its_type() -> None:
    [event] = compose(start(2, "tool_use"))
    assert event.data["index"] == 2
    assert event.data["content_block"] == {
        "type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {},
    }  # fmt: skip


def test_a_delta_may_be_written_out() -> None:
    short = compose({"text_delta": {"at": [1], "text": "Hi"}})
    written = {"at": [1], "delta": {"type": "text_delta", "text": "Hi"}}
    assert compose({"content_block_delta": written}) == short


@pytest.mark.parametrize("usage", [None, {"output_tokens": 9}])
def test_usage_of_a_payload_replaces_the_default(usage: Any) -> None:
    [first, last] = compose(
        {"message_start": {"message": {"usage": usage}}}, {"message_delta": {"usage": usage}}
    )
    assert (first.data["message"]["usage"], last.data["usage"]) == (usage, usage)


def test_a_field_can_be_removed() -> None:
    [first, last] = compose(
        {"message_start": {"message": {"usage": "$absent"}}},
        {"message_delta": {"usage": "$absent"}},
    )
    assert "usage" not in first.data["message"]
    assert "usage" not in last.data


def test_an_error_has_its_usual_type() -> None:
    [event] = compose({"error": {"error": {"message": "busy"}}})
    assert event.data["error"] == {"type": "overloaded_error", "message": "busy"}


def test_a_payload_that_does_not_fit_is_an_error_of_the_file() -> None:
    with pytest.raises(InputError, match="content_block_start"):
        compose({"content_block_start": {"at": 1}})


# What the documents say, and who holds it


def test_every_sentence_of_the_spec_has_a_check_that_exists() -> None:
    known = set()
    for path in SCENARIOS.rglob("*/*.yaml"):
        scenario, key = (
            yaml.safe_load(path.read_text()),
            path.relative_to(SCENARIOS).with_suffix(""),
        )
        checks = [*scenario.get("must", ()), *scenario.get("should", ())]
        checks += [f"holds_under:{mutation}" for mutation in scenario.get("holds_under", ())]
        known |= {f"{key}:{check}" for check in checks}
    spec = yaml.safe_load((SCENARIOS / "SPEC.yaml").read_text())
    assert spec
    for sentence in spec:
        assert set(sentence.get("held_by", ())) <= known, sentence
        assert bool(sentence.get("held_by")) != bool(sentence.get("excluded")), sentence
