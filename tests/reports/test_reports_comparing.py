"""The result of a comparison in each report: terminal, jsonl, junit, html, github."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from harness.comparing.classification import Change
from harness.comparing.events import (
    ComparisonFinished,
    ComparisonStarted,
    Progress,
    StreamCompared,
    UnusableInput,
)
from harness.comparing.streams import Stream
from harness.comparing.vocabulary import WordChange
from harness.errors import InputError
from harness.reports import KINDS, make_report
from harness.sdks.vocabulary import CoverageRow
from harness.targets.base import Call
from harness.wire.script import Script
from tests.reports.happened import NASTY

if TYPE_CHECKING:
    from pathlib import Path

SIDES = {"A": "openai==1", "B": "openai==2"}
VERSIONS = {"A": {"openai": "1.0.0"}, "B": {"openai": "2.0.0"}}
STARTED = ComparisonStarted("builtin", SIDES, VERSIONS, 4, {"gemini_generate": 80})

VIOLATION = Change("requirement violated", "wire", "text: pass -> fail", "text", "Hello", NASTY)
WIRE = Change("snapshot changed", "wire", "raised.type A -> B", "raised.type", "A", "B")
AFTER = Change("snapshot changed", "outcome", "finish stop -> error", "finish", "a", "b", True)  # noqa: FBT003 - a field
BETTER = Change("improved", "outcome", "finish: fail -> pass", "finish", "error", "stop")
IDS = Change("only cosmetic", "outcome", "ids", "", "", "")
NEW = WordChange(
    how="added",
    row=CoverageRow(protocol="openai_chat", category="finish", word="tired", where="unknown"),
)


def compared(name: str, *changes: Change, violated: tuple[str, ...] = ()) -> StreamCompared:
    stream = Stream(name, "recording", Call("openai_chat"), Script(()))
    return StreamCompared(stream, changes, violated)


def finished(**changes: Any) -> ComparisonFinished:
    streams = (
        compared("one", VIOLATION, WIRE, AFTER, violated=("text", "usage")),
        compared("two words", WIRE, AFTER),
        compared("three", BETTER, IDS),
        compared("four"),
    )
    return ComparisonFinished(
        **{
            "start": STARTED,
            "compared": streams,
            "seconds": 2.0,
            "command": "again {} A B",
            **changes,
        }
    )


def written(kind: str, path: Path, end: ComparisonFinished) -> str:
    report = make_report(f"{kind}={path}", "compare")
    report.handle(Progress("installing …"))
    report.handle(UnusableInput(InputError("bad <file>")))
    report.handle(STARTED)
    for event in end.compared:
        report.handle(event)
    report.handle(end)
    report.close()
    return path.read_text("utf-8") if path.exists() else ""


@pytest.fixture(autouse=True)
def no_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


@pytest.mark.parametrize("kind", KINDS["compare"])
def test_every_report_names_the_violation_and_the_new_word(kind: str, tmp_path: Path) -> None:
    text = written(kind, tmp_path / "report", finished(vocabulary=(NEW,)))
    assert "text: pass -&gt; fail" in text or "text: pass -> fail" in text
    assert "tired" in text


def test_the_page_groups_changes_and_shows_their_consequences(tmp_path: Path) -> None:
    text = written("terminal", tmp_path / "page", finished())
    assert "  wire     2 streams: raised.type A -> B\n" in text
    assert "           causes    outcome finish stop -> error (2)\n" in text
    assert "           reproduce again one A B\n" in text
    assert "skipped: 80 of gemini_generate, for which a side has no SDK" in text
    assert "  1 stream: usage, e.g. one" in text, "what both sides violate"
    assert text.endswith(
        "compared 4 streams in 2.0 s: 1 the same, 1 requirement violated, 2 snapshot changed, "
        "1 improved, 1 only cosmetic\nB violates requirements that A meets, in 1 stream\n"
    )


@pytest.mark.parametrize(
    ("end", "says"),
    [
        (
            finished(compared=(compared("x", WIRE),)),
            "no requirement is newly violated; review 1 snapshot",
        ),
        (
            finished(compared=(compared("x", IDS),)),
            "no requirement is newly violated; no snapshot changed",
        ),
        (finished(compared=()), "nothing was compared: no stream is supported by both sides"),
        (
            finished(compared=(compared("x"),), vocabulary=(NEW,)),
            "B brings new vocabulary: 1 word in no table",
        ),
        (
            finished(start=ComparisonStarted("builtin", {"A": "openai==1"}, VERSIONS, 1, {})),
            "nothing was compared: usable sides: openai==1",
        ),
        (finished(interrupted=True), "interrupted after 4 streams"),
    ],
)
def test_the_last_line_is_the_verdict(end: ComparisonFinished, says: str, tmp_path: Path) -> None:
    assert says in written("terminal", tmp_path / "page", end)


def test_many_groups_are_shortened_unless_verbose(tmp_path: Path) -> None:
    many = tuple(
        compared(f"s{n}", WIRE._replace(shape=f"raised.type A -> B{n:02}")) for n in range(12)
    )
    assert "  … and 4 more shapes; see --verbose" in written(
        "terminal", tmp_path / "p", finished(compared=many)
    )
    report = make_report(f"terminal={tmp_path / 'q'}", "compare", verbose=True)
    report.handle(finished(compared=many))
    report.close()
    assert "raised.type A -> B11" in (tmp_path / "q").read_text("utf-8")


def test_json_lines_are_groups_vocabulary_and_summary(tmp_path: Path) -> None:
    bad, *groups, word, last = map(
        json.loads, written("jsonl", tmp_path / "lines", finished(vocabulary=(NEW,))).splitlines()
    )
    assert bad == {"bad_input": "bad <file>"}
    assert [group["verdict"] for group in groups] == [
        "requirement violated", "snapshot changed", "improved", "only cosmetic"
    ]  # fmt: skip
    assert groups[0]["after"] == NASTY
    assert groups[1]["streams"] == ["one", "two words"]
    assert word["word"]["cure"]
    assert (last["summary"]["still_broken"], last["summary"]["unclassified"]) == (1, 1)


def test_junit_fails_a_stream_with_a_new_violation(tmp_path: Path) -> None:
    written("junit", tmp_path / "junit.xml", finished(vocabulary=(NEW,)))
    root = ET.fromstring((tmp_path / "junit.xml").read_bytes())  # noqa: S314 - our own file
    [suite] = root
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("6", "2", "1")
    failed = [case.get("name") for case in suite if case.find("failure") is not None]
    assert failed == ["one", "vocabulary"]


def test_github_annotates_violations_and_shows_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = written("github", tmp_path / "page.md", finished())
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["::error", "::error", "::notice"]
    assert "**B violates requirements that A meets, in 1 stream** (4 streams, 1 the same)" in page
    assert "| wire | 2 | `raised.type A -> B` |" in page
    assert "ONLY COSMETIC" not in page


def test_html_is_escaped(tmp_path: Path) -> None:
    page = written("html", tmp_path / "page.html", finished())
    assert "bad &lt;file&gt;" in page
    assert "<b>&" not in page
    assert "also     two words" in page
