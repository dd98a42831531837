"""A run and a comparison on GitHub, and as one HTML file: whole, escaped, and where they belong."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from harness.errors import InputError
from harness.reports import make_report
from harness.reports.github_actions import annotation, write_step
from tests.reports.happened import NASTY, events, finding, report_events

FAILED = finding("fail", expected="Hello", actual=NASTY)


def test_an_annotation_is_one_line_whatever_it_says() -> None:
    line = annotation("error", "50 %\nof it", "a: b, c", Path("scenarios/a.yaml"), 3)
    assert line == ("::error title=a%3A b%2C c,file=scenarios/a.yaml,line=3::50 %25%0Aof it")
    assert annotation("notice", "x", "y") == "::notice title=y::x"


def test_a_file_is_named_as_the_repository_knows_it() -> None:
    here = annotation("error", "x", "y", Path.cwd() / "scenarios" / "a.yaml")
    assert "file=scenarios/a.yaml" in here


def test_the_page_is_added_to_the_summary_of_the_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("earlier\n", "utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    report_events(make_report("github"), events(tmp_path, FAILED))
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["::error", "::error"]
    assert "title=bad input,file=a.yaml,line=3" in lines[0]
    assert re.search(r"title=mine%3A text failed,file=.*hello\.yaml,line=\d+::", lines[1])
    assert "reproduce: harness run it" in lines[1]
    page = summary.read_text("utf-8")
    assert page.startswith("earlier\n## LLM stream harness\n")
    assert "| anthropic_messages/text | 1/1 | **0/1** |" in page


def test_without_a_runner_the_page_is_printed_or_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    report_events(make_report("github"), events(tmp_path, FAILED))
    assert "## LLM stream harness" in capsys.readouterr().out
    path = tmp_path / "page.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "unused"))
    report_events(make_report(f"github={path}"), events(tmp_path, FAILED))
    assert path.read_text("utf-8").startswith("## LLM")
    assert not (tmp_path / "unused").exists()


def test_a_summary_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    with pytest.raises(InputError, match="cannot be written"):
        write_step([], "page", None)


class Reader(HTMLParser):
    """Collects the texts of a page, and fails on a tag that is not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - the parser's own
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_a_run_is_one_html_file_in_which_nothing_breaks_out(tmp_path: Path) -> None:
    path = tmp_path / "run.html"
    report_events(make_report(f"html={path}"), events(tmp_path, FAILED, finding("warn", "model")))
    text = path.read_text("utf-8")
    assert "<b>&" not in text, "what a stream says is text"
    assert "<script" not in text
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    assert {"anthropic_messages/text", "1/1", "0/1", "mine: 1 fail, 1 warn"} <= set(reader.texts)
    assert any("reproduce: harness run it" in shown for shown in reader.texts)
