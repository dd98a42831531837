"""The pages in docs/protocols are what the tables are, and a page shows each of their moves."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.protocols import NAMES, protocol
from harness.protocols.diagrams import main, page
from harness.protocols.grammar import Open

DOCS = Path(__file__).parents[2] / "docs/protocols"
_STATE = re.compile(r'state "[^"]+" as (s\d+)')
_ARROW = re.compile(r"    (\S+) --> (\S+)(?: : (.+))?")


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_page_is_generated_from_the_tables(name: str) -> None:
    committed = (DOCS / f"{name}.md").read_text("utf-8")
    assert committed == page(name), "run `python -m harness.protocols.diagrams docs/protocols`"


def test_every_page_is_linked_and_no_page_is_left_over(tmp_path: Path) -> None:
    main([str(tmp_path)])
    written = {path.name for path in tmp_path.iterdir()}
    assert {path.name for path in DOCS.glob("*.md")} == {"README.md", *written}
    linked = set(re.findall(r"\]\((\w+\.md)\)", (DOCS / "README.md").read_text("utf-8")))
    assert linked == written


@pytest.mark.parametrize("name", NAMES)
def test_arrows_join_states_that_are_declared(name: str) -> None:
    diagrams = re.findall(r"```mermaid\n(.*?)```", page(name), re.DOTALL)
    assert len(diagrams) >= len(protocol(name).grammar.machines)
    for diagram in diagrams:
        declared = set(_STATE.findall(diagram))
        arrows = [found.groups() for found in _ARROW.finditer(diagram)]
        joined = {state for source, goal, _ in arrows for state in (source, goal)}
        assert joined - {"[*]"} == declared
        assert all(label for source, goal, label in arrows if "[*]" not in {source, goal})


@pytest.mark.parametrize("name", NAMES)
def test_every_label_and_every_reason_is_on_the_page(name: str) -> None:
    text, grammar = page(name), protocol(name).grammar
    words = {label.partition("[")[0] for label in grammar.labels}
    assert {word for word in words if f"`{word}" not in text} == set()
    reasons = {
        move.why
        for machine in grammar.machines
        for moves in machine.table.values()
        for move in moves.values()
        if isinstance(move, Open)
    }
    assert {why for why in reasons if f": {why}." not in text} == set()


def test_a_move_that_is_missing_in_the_table_is_missing_in_the_diagram() -> None:
    assert "s0 --> s1 : message_start" in page("anthropic_messages")
    assert "message_stop" not in page("openai_chat")
