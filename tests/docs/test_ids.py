"""Every id that the project cites resolves in docs/, and every link of its pages works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.docs.pages import (
    Entry,
    broken_links,
    cases_in,
    entries,
    short_ids_in,
)

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
CITING = ("scenarios", "harness", "tests", "benchmarks", "recording", "docs")
SUFFIXES = {".py", ".yaml", ".md", ".toml"}
ENTRIES = [entry for page in sorted(DOCS.glob("*.md")) for entry in entries(page)]
IDS = {entry.id for entry in ENTRIES}
CATALOGUE = [entry for entry in ENTRIES if entry.page == "catalogue.md"]
DEFECTS = [entry for entry in ENTRIES if entry.page == "defects.md"]
SCENARIOS = [p for p in sorted((ROOT / "scenarios").rglob("*.yaml")) if p.name != "SPEC.yaml"]
# A citation of a page that is not in the repository.
PRIVATE = re.compile(r"\b(CATALOGUE|DESIGN|FACTS|STREAMING)(?:\.md| section| part| \d|: )")


def citing_files() -> list[Path]:
    """The text files that may cite an id; stored results and foreign recordings cite none."""
    found = (path for folder in CITING for path in (ROOT / folder).rglob("*"))
    return sorted(p for p in found if p.suffix in SUFFIXES and "__snapshots__" not in p.parts)


def unresolved(path: Path) -> set[str]:
    """The ids in a file that docs/ does not define; short ids stand in prose and code only."""
    text = path.read_text("utf-8")
    short = short_ids_in(text) if path.suffix in {".py", ".md"} else set()
    return (cases_in(text) | short) - IDS


def private_pages(path: Path) -> list[str]:
    """The citations in a file of pages that a reader of the repository does not have."""
    return PRIVATE.findall(path.read_text("utf-8"))


def has_source(scenario: Path) -> bool:
    """Whether a reader can open a source: a URL in `spec`, or a case that docs/ defines."""
    data = yaml.load(scenario.read_text("utf-8"), yaml.CSafeLoader)
    urls = [source.get("url", "") for source in data.get("spec", ())]
    cases = [case.strip() for case in data.get("case", "").split(",")]
    return any(url.startswith("https://") for url in urls) or bool(IDS.intersection(cases))


def faults(entry: Entry) -> list[str]:
    """What an entry of the catalogue lacks."""
    missing = [label for label in ("Sent", "Expected", "Evidence") if not entry.labelled(label)]
    evidence = entry.labelled("Evidence") or ""
    unproven = "https://" not in evidence and not evidence.startswith("inferred")
    return missing + ["no link and not inferred"] * unproven


def test_every_id_resolves() -> None:
    missing = {str(path.relative_to(ROOT)): unresolved(path) for path in citing_files()}
    assert {path: ids for path, ids in missing.items() if ids} == {}


@pytest.mark.parametrize("made_up", ["OR-" + "999", "ZZ-" + "001", "D" + "99"])
def test_an_unknown_id_is_reported(tmp_path: Path, made_up: str) -> None:
    page = tmp_path / "test_page.py"
    page.write_text(f'"""Cites OR-003, D47 and {made_up}."""\n')
    assert unresolved(page) == {made_up}


def test_an_id_is_defined_once() -> None:
    assert sorted(entry.id for entry in ENTRIES) == sorted(IDS)


def test_the_catalogue_is_complete() -> None:
    numbers = {"OR": 38, "OC": 49, "AN": 37, "GE": 27, "TR": 22, "CA": 25}
    expected = [f"{topic}-{n:03}" for topic, last in numbers.items() for n in range(1, last + 1)]
    assert [entry.id for entry in CATALOGUE] == expected


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.id)
def test_a_case_has_its_sentences_and_evidence(entry: Entry) -> None:
    assert faults(entry) == []


def test_a_case_without_evidence_is_reported(tmp_path: Path) -> None:
    page = tmp_path / "catalogue.md"
    page.write_text("### OR-003\n\n**Sent:** Text.\n\n**Evidence:** not a link.\n")
    assert [faults(entry) for entry in entries(page)] == [["Expected", "no link and not inferred"]]


@pytest.mark.parametrize("entry", DEFECTS, ids=lambda entry: entry.id)
def test_a_defect_has_its_sentences(entry: Entry) -> None:
    assert all(entry.labelled(label) for label in ("Component", "Wrong", "Right", "Evidence"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_links_of_a_page_work(page: Path) -> None:
    assert list(broken_links(page)) == []


def test_a_broken_link_is_reported(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A title: *one* `two`\n\n[a](#a-title-one-two) [b](#two) [c](page.md) [d](none.md)\n"
        "```\n[e](in-code.md)\n```\n[f](https://example.com)\n"
    )
    assert list(broken_links(page)) == ["#two", "none.md"]


@pytest.mark.parametrize("topic", sorted({path.parent for path in SCENARIOS}), ids=str)
def test_every_scenario_has_a_source(topic: Path) -> None:
    assert [path.name for path in sorted(topic.glob("*.yaml")) if not has_source(path)] == []


@pytest.mark.parametrize("source", ["case: OR-" + "999", "spec:\n  - says: No address."])
def test_a_scenario_without_a_source_is_reported(tmp_path: Path, source: str) -> None:
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(source)
    assert not has_source(scenario)


def test_no_file_cites_a_page_outside_the_repository() -> None:
    assert {path: found for path in citing_files() if (found := private_pages(path))} == {}


def test_a_citation_of_a_page_outside_the_repository_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("# see DESIGN" + " section 2, and _STREAMING\n", "utf-8")
    assert private_pages(path) == ["DESIGN"]
