"""The strategies draw difficult cases and shrink them to the size stated here, from any seed."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, find, settings

from harness.generation.search import BACKEND
from harness.generation.strategies import cases, from_grammar, messages
from harness.protocols import protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.generation.cases import Case
    from harness.model import Event
    from harness.protocols.message import Message

MANY_EXAMPLES = settings(
    backend=BACKEND,
    max_examples=1500,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


FROM_ANY_SEED = pytest.mark.parametrize("seed", range(3))


def minimal(strategy: Any, wanted: Callable[[Any], bool], seed: int) -> Any:
    return find(strategy, wanted, settings=MANY_EXAMPLES, random=Random(seed))  # noqa: S311 - not a secret


def labels(name: str, events: Sequence[Event]) -> list[str]:
    return [step.label for event in events for step in protocol(name).read(event)]


# Walks


@pytest.mark.parametrize(
    ("name", "label", "events"),
    [
        ("openai_responses", "response.content_part.done[output_text]", 7),
        ("openai_responses", "response.mcp_call.failed", 5),
        ("openai_chat", "call.arguments", 4),
        ("anthropic_messages", "content_block_delta[signature_delta]", 7),
        ("gemini_generate", "function_call.piece", 4),
    ],
)
@FROM_ANY_SEED
def test_a_walk_to_a_label_is_short(name: str, label: str, events: int, seed: int) -> None:
    found = minimal(from_grammar(name), lambda walk: label in labels(name, walk), seed)
    assert len(found) <= events, labels(name, found)


# Messages


def _parts(message: Message) -> list[str]:
    return [part.kind for part in message.content]


@pytest.mark.parametrize(
    ("difficult", "kinds"),
    [
        (lambda m: _parts(m).count("tool_call") == 8, ["tool_call"] * 8),
        (lambda m: "refusal" in _parts(m) and "tool_call" in _parts(m), ["refusal", "tool_call"]),
        (lambda m: "redacted_reasoning" in _parts(m), ["redacted_reasoning"]),
        (lambda m: any("👩" in getattr(p, "text", "") for p in m.content), ["text"]),
        (lambda m: m.ending == "truncated" and "tool_call" in _parts(m), ["tool_call"]),
        (lambda m: m.ending == "failed" and m.usage is not None, []),
        (lambda m: m.finish == "pause" and not m.content, []),
    ],
)
@FROM_ANY_SEED
def test_a_difficult_message_is_found_and_has_no_other_parts(
    difficult: Callable[[Message], bool], kinds: list[str], seed: int
) -> None:
    assert _parts(minimal(messages(), difficult, seed)) == kinds


def _nested(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_nested, value.values()), default=0)
    return 1 + max(map(_nested, value), default=0) if isinstance(value, list) else 0


@FROM_ANY_SEED
def test_arguments_of_any_shape(seed: int) -> None:
    found = minimal(
        messages(),
        lambda m: any(p.kind == "tool_call" and _nested(p.arguments) > 2 for p in m.content),
        seed,
    )
    [call] = found.content
    assert len(call.arguments_raw) <= 16  # {"a": {"a": {}}} or lists, at most one word beside


# Cases


def _overlap(case: Case) -> bool:
    at = [
        e.data["output_index"]
        for e in case.events
        if isinstance(e.data, dict) and "output_index" in e.data
    ]
    return at != sorted(at)


@FROM_ANY_SEED
def test_calls_that_overlap_take_two_calls_of_four_events(seed: int) -> None:
    found = minimal(cases("openai_responses", messages_only=True), _overlap, seed)
    assert len(found.events) <= 12
    assert len(found.expressed.content) == 2


def _pieces(case: Case) -> int:
    return sum(event.name == "content_block_delta" for event in case.events)


@FROM_ANY_SEED
def test_one_text_in_three_pieces_takes_eight_events(seed: int) -> None:
    found = minimal(
        cases("anthropic_messages", messages_only=True),
        lambda case: len(case.expressed.content) == 1 and _pieces(case) > 2,
        seed,
    )
    assert len(found.events) == 8
