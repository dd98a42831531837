"""Walks through the tables: legal, reaching every label, and the simplest is the shortest."""

from __future__ import annotations

import random

import pytest

from harness.generation.walking import LENGTH, walk
from harness.protocols import NAMES, protocol

SHORTEST = {
    "openai_responses": ["response.created", "response.completed"],
    "openai_chat": ["done"],
    "anthropic_messages": ["message_start", "message_delta", "message_stop"],
    "gemini_generate": ["response", "text", "finish", "end", "usage"],
}


def _walks(name: str, count: int) -> list[tuple[object, ...]]:
    generator = random.Random(name)  # noqa: S311 - the same walks every time
    return [walk(name, generator.randbytes(generator.randrange(40))) for _ in range(count)]


@pytest.mark.parametrize("name", NAMES)
def test_no_choices_lead_straight_to_the_end(name: str) -> None:
    wire = protocol(name)
    labels = [step.label for event in walk(name, b"") for step in wire.read(event)]
    assert labels == SHORTEST[name]


@pytest.mark.parametrize("name", NAMES)
def test_every_walk_is_legal_and_bounded(name: str) -> None:
    wire = protocol(name)
    for stream in _walks(name, 300):
        found = wire.violations(stream)  # type: ignore[arg-type]
        assert [v.sentence for v in found if v.severity == "violation"] == []
        assert len(stream) <= 2 * LENGTH + 4


@pytest.mark.parametrize("name", NAMES)
def test_walks_reach_every_label_of_the_tables(name: str) -> None:
    wire = protocol(name)
    streams = _walks(name, 1500)
    seen = {
        step.label
        for stream in streams
        for event in stream
        for step in wire.read(event)  # type: ignore[arg-type]
    }
    assert wire.grammar.labels - seen == set()


def test_the_same_choices_give_the_same_walk() -> None:
    choices = bytes(range(1, 30))
    assert walk("openai_responses", choices) == walk("openai_responses", choices)
