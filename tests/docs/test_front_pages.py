"""Licence, decisions and benchmarks: the pages are complete, and what they name exists."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from benchmarks.__main__ import __doc__ as usage

ROOT = Path(__file__).parents[2]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
SECTIONS = ["Context", "Decision", "Consequences", "Rejected", "In the code"]


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def test_the_licence_is_the_one_that_the_package_declares() -> None:
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    assert project["license"] == "Apache-2.0"
    assert project["license-files"] == ["LICENSE"]
    licence = text_of("LICENSE")
    assert "Apache License\n                           Version 2.0, January 2004" in licence
    assert "END OF TERMS AND CONDITIONS" in licence


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_is_a_page_with_all_sections(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.startswith(f"# {path.name[:4]} ")
    assert re.search(r"^(Accepted|Replaced by \d{4},) \d{4}-\d{2}-\d{2}", text, re.MULTILINE)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert text.count("\n") <= 60


def test_the_index_lists_every_decision_once_and_in_order() -> None:
    listed = re.findall(r"\]\((\d{4}-[^)]+\.md)\)", text_of("docs/decisions/README.md"))
    assert listed == [path.name for path in DECISIONS]
    assert [path.name[:4] for path in DECISIONS] == [
        f"{number:04}" for number in range(1, len(DECISIONS) + 1)
    ]


def test_every_group_of_benchmarks_is_described_with_its_command() -> None:
    described = set(re.findall(r"python -m benchmarks ([a-z]+)", text_of("docs/benchmarks.md")))
    assert described == set(re.findall(r"\[(\w+)\]", usage or ""))


def test_the_glossary_lists_each_word_once_in_order_with_one_sentence() -> None:
    rows = re.findall(
        r"^\| (?!word|-)([^|]+) \| (.+) \|$", text_of("docs/glossary.md"), re.MULTILINE
    )
    words = [word for word, _ in rows]
    assert words == sorted(set(words), key=str.lower)
    assert [word for word, meaning in rows if not meaning.endswith(".")] == []
    assert [word for word, meaning in rows if ". " in meaning] == []
