"""What a comparison found, in each of its reports: terminal, jsonl, junit, html, github."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from harness.comparing.classification import Change
from harness.comparing.events import Began, Compared, Ended, Progress, Unusable
from harness.comparing.streams import Stream
from harness.comparing.vocabulary import WordChange
from harness.engine.replayer import TargetRequest
from harness.errors import InputError
from harness.reports.comparing import KINDS, make_report
from harness.targets.vocabulary import CoverageRow
from harness.wire.script import Script
from tests.reports.happened import NASTY

if TYPE_CHECKING:
    from pathlib import Path

SIDES = {"A": "openai==1", "B": "openai==2"}
VERSIONS = {"A": {"openai": "1.0.0"}, "B": {"openai": "2.0.0"}}
BEGAN = Began("builtin", SIDES, VERSIONS, 4, {"gemini_generate": 80})

LAW = Change("law broken", "wire", "law text: pass -> fail", "text", "Hello", NASTY)
WIRE = Change("photograph changed", "wire", "raised.type A -> B", "raised.type", "A", "B")
AFTER = Change("photograph changed", "outcome", "finish stop -> error", "finish", "a", "b", True)  # noqa: FBT003 - a field
BETTER = Change("improved", "outcome", "law finish: fail -> pass", "finish", "error", "stop")
IDS = Change("only cosmetic", "outcome", "ids", "", "", "")
NEW = WordChange(
    how="added",
    row=CoverageRow(protocol="openai_chat", category="finish", word="tired", where="unknown"),
)


def compared(name: str, *moved: Change, broken: tuple[str, ...] = ()) -> Compared:
    stream = Stream(name, "recording", TargetRequest("openai_chat"), Script(()))
    return Compared(stream, moved, broken)


def ended(**changes: Any) -> Ended:
    told = (
        compared("one", LAW, WIRE, AFTER, broken=("text", "usage")),
        compared("two words", WIRE, AFTER),
        compared("three", BETTER, IDS),
        compared("four"),
    )
    return Ended(
        **{"began": BEGAN, "compared": told, "seconds": 2.0, "command": "again {} A B", **changes}
    )


def told(kind: str, path: Path, end: Ended) -> str:
    report = make_report(f"{kind}={path}")
    report.handle(Progress("installing …"))
    report.handle(Unusable(InputError("bad <file>")))
    report.handle(BEGAN)
    for happening in end.compared:
        report.handle(happening)
    report.handle(end)
    report.close()
    return path.read_text("utf-8") if path.exists() else ""


@pytest.fixture(autouse=True)
def no_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


@pytest.mark.parametrize("kind", KINDS)
def test_every_report_names_the_broken_law_and_the_new_word(kind: str, tmp_path: Path) -> None:
    said = told(kind, tmp_path / "report", ended(words=(NEW,)))
    assert "law text: pass -&gt; fail" in said or "law text: pass -> fail" in said
    assert "tired" in said


def test_the_page_groups_like_with_like_and_says_what_followed(tmp_path: Path) -> None:
    said = told("terminal", tmp_path / "page", ended())
    assert "  wire     2 streams: raised.type A -> B\n" in said
    assert "           so       outcome finish stop -> error (2)\n" in said
    assert "           again    again one A B\n" in said
    assert "left out: 80 of gemini_generate, which a side has no SDK for" in said
    assert "  1 stream: law usage, e.g. one" in said, "what neither side keeps"
    assert said.endswith(
        "compared 4 streams in 2.0 s: 1 the same, 1 law broken, 2 photograph changed, "
        "1 improved, 1 only cosmetic\nB breaks law in 1 stream that A told rightly\n"
    )


@pytest.mark.parametrize(
    ("end", "says"),
    [
        (ended(compared=(compared("x", WIRE),)), "B breaks no law; review 1 photograph"),
        (ended(compared=(compared("x", IDS),)), "B breaks no law, and nothing but cosmetics moved"),
        (ended(compared=()), "nothing is compared: there is no stream that both sides speak"),
        (ended(compared=(compared("x"),), words=(NEW,)), "B brings 1 word that no table holds"),
        (
            ended(began=Began("builtin", {"A": "openai==1"}, VERSIONS, 1, {})),
            "nothing is compared: of both sides openai==1 could be used",
        ),
        (ended(interrupted=True), "interrupted after 4 streams"),
    ],
)
def test_the_last_words_are_the_verdict(end: Ended, says: str, tmp_path: Path) -> None:
    assert says in told("terminal", tmp_path / "page", end)


def test_many_groups_are_cut_unless_they_are_asked_for(tmp_path: Path) -> None:
    many = tuple(
        compared(f"s{n}", WIRE._replace(shape=f"raised.type A -> B{n:02}")) for n in range(12)
    )
    assert "  … and 4 more shapes; see --verbose" in told(
        "terminal", tmp_path / "p", ended(compared=many)
    )
    report = make_report(f"terminal={tmp_path / 'q'}", verbose=True)
    report.handle(ended(compared=many))
    report.close()
    assert "raised.type A -> B11" in (tmp_path / "q").read_text("utf-8")


def test_json_lines_are_groups_words_and_the_summary(tmp_path: Path) -> None:
    bad, *groups, word, last = map(
        json.loads, told("jsonl", tmp_path / "lines", ended(words=(NEW,))).splitlines()
    )
    assert bad == {"bad_input": "bad <file>"}
    assert [group["verdict"] for group in groups] == [
        "law broken", "photograph changed", "improved", "only cosmetic"
    ]  # fmt: skip
    assert groups[0]["after"] == NASTY
    assert groups[1]["streams"] == ["one", "two words"]
    assert word["word"]["cure"]
    assert (last["summary"]["still_broken"], last["summary"]["unclassified"]) == (1, 1)


def test_junit_fails_a_stream_whose_law_is_broken(tmp_path: Path) -> None:
    told("junit", tmp_path / "junit.xml", ended(words=(NEW,)))
    root = ET.fromstring((tmp_path / "junit.xml").read_bytes())  # noqa: S314 - our own file
    [suite] = root
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("6", "2", "1")
    failed = [case.get("name") for case in suite if case.find("failure") is not None]
    assert failed == ["one", "vocabulary"]


def test_github_annotates_law_and_shows_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = told("github", tmp_path / "page.md", ended())
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["::error", "::error", "::notice"]
    assert "**B breaks law in 1 stream that A told rightly** (4 streams, 1 the same)" in page
    assert "| wire | 2 | `raised.type A -> B` |" in page
    assert "ONLY COSMETIC" not in page


def test_html_is_escaped(tmp_path: Path) -> None:
    page = told("html", tmp_path / "page.html", ended())
    assert "bad &lt;file&gt;" in page
    assert "<b>&" not in page
    assert "also     two words" in page
