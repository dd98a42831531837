"""Walks through the tables: legal, all of them reachable, and the simplest is the shortest."""

from __future__ import annotations

import random

import pytest

from harness.generation.byte_source import ByteSource, delta_plan
from harness.generation.walking import LENGTH, walk
from harness.protocols import NAMES, protocol

SHORTEST = {
    "openai_responses": ["response.created", "response.completed"],
    "openai_chat": ["done"],
    "anthropic_messages": ["message_start", "message_delta", "message_stop"],
    "gemini_generate": ["response", "text", "finish", "end", "usage"],
}


def _walks(name: str, count: int) -> list[tuple[object, ...]]:
    dice = random.Random(name)  # noqa: S311 - the same walks every time
    return [walk(name, dice.randbytes(dice.randrange(40))) for _ in range(count)]


@pytest.mark.parametrize("name", NAMES)
def test_the_empty_tape_leads_straight_to_the_end(name: str) -> None:
    spoken = protocol(name)
    labels = [step.label for event in walk(name, b"") for step in spoken.read(event)]
    assert labels == SHORTEST[name]


@pytest.mark.parametrize("name", NAMES)
def test_every_walk_is_legal_and_bounded(name: str) -> None:
    spoken = protocol(name)
    for stream in _walks(name, 300):
        found = spoken.violations(stream)  # type: ignore[arg-type]
        assert [v.sentence for v in found if v.severity == "violation"] == []
        assert len(stream) <= 2 * LENGTH + 4


@pytest.mark.parametrize("name", NAMES)
def test_walks_reach_every_label_of_the_tables(name: str) -> None:
    spoken = protocol(name)
    streams = _walks(name, 1500)
    seen = {
        step.label
        for stream in streams
        for event in stream
        for step in spoken.read(event)  # type: ignore[arg-type]
    }
    assert spoken.grammar.labels - seen == set()


def test_one_tape_is_one_walk() -> None:
    tape = bytes(range(1, 30))
    assert walk("openai_responses", tape) == walk("openai_responses", tape)


def test_a_tape_past_its_end_says_the_simplest() -> None:
    tape = ByteSource(b"\x05")
    assert [tape.below(4), tape.below(4), tape.choose("xyz")] == [1, 0, "x"]
    assert ByteSource(b"\x01\x02").below(300) == 258


def test_the_pieces_of_a_text_join_to_it() -> None:
    assert delta_plan(b"\x01\x02").split("abcdef") == ["ab", "cde", "f"]
    assert delta_plan(b"").split("abc") == ["abc"]
    assert delta_plan(b"").split("") == []
