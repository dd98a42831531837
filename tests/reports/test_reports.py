"""Reports write every event of a run, whatever the values hold."""

from __future__ import annotations

import io
import json
from collections import Counter
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from harness.engine.events import RunFinished, RunStarted
from harness.errors import InputError, UnknownWordError
from harness.model import Chunk, ErrorInfo, Outcome, Text, ToolCall
from harness.reports import make_report
from harness.reports.files import json_text, write_report
from harness.reports.jsonl import JsonlReport
from harness.reports.junit import JunitReport, clean
from harness.reports.snapshot import LONGEST, differing, snapshot_text, table_text
from harness.reports.terminal import SHOWN, TerminalReport
from tests.reports.happened import NASTY, SOURCE, events, finding, report_events, result

if TYPE_CHECKING:
    from pathlib import Path

FAILED = finding("fail", expected="Hello", actual=NASTY)


# Where a report goes


@pytest.mark.parametrize("kind", ["terminal", "jsonl", "junit"])
def test_a_report_is_made_by_its_name(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "report"
    report_events(make_report(f"{kind}={path}"), events(tmp_path, FAILED))
    assert path.read_text("utf-8")
    assert [found.name for found in tmp_path.iterdir() if found.is_file()] == ["report"]


@pytest.mark.parametrize("spec", ["jsonl", "jsonl=", "jsonl=-"])
def test_no_path_is_standard_output(
    spec: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report_events(make_report(spec), events(tmp_path, FAILED))
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["summary"]["checked"] == 2


def test_a_report_that_cannot_be_is_refused_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(UnknownWordError, match="did you mean 'junit'"):
        make_report("junti")
    with pytest.raises(
        InputError, match="the folder for the report does not exist; create it first"
    ):
        make_report(f"jsonl={tmp_path}/nowhere/x")
    with pytest.raises(InputError, match="a folder; name the report's file"):
        make_report(f"jsonl={tmp_path}")


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("before", "utf-8")
    write_report(path, "after \ud83d")
    assert path.read_text("utf-8") == "after \\ud83d"
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match=r"folder: cannot be written \(Is a directory\)"):
        write_report(tmp_path / "folder", "text")
    assert sorted(found.name for found in tmp_path.iterdir()) == ["folder", "x"]


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone/x: cannot be written \(No such file"):
        write_report(tmp_path / "gone" / "x", "text")


@pytest.mark.parametrize("value", ["ü😀", "\ud83d", "\x00\x1b", [None, {"a": 1.5}]])
def test_json_survives_any_stream(value: Any) -> None:
    assert json.loads(json_text(value).encode("utf-8")) == value
    assert "ü" in json_text("ü")


# JSON lines


def test_one_line_per_finding_then_the_summary(tmp_path: Path) -> None:
    path = tmp_path / "report"
    run = events(tmp_path, FAILED, finding("warn", "model"), stale=("mine a:b",))
    report_events(JsonlReport(path), run)
    bad, held, violated, warned, last = map(json.loads, path.read_text("utf-8").splitlines())
    assert bad == {"bad_input": "a.yaml:3: it is\x00 bad"}
    keys = ["scenario", "target", "check", "verdict", "expected", "actual", "reproduce"]
    assert list(held) == list(violated) == list(warned) == keys
    assert violated["actual"] == NASTY
    assert last == {
        "summary": {
            "checked": 2,
            "seconds": 0.5,
            "targets": {"builtin": {"pass": 1}, "mine": {"fail": 1, "warn": 1}},
            "stale": ["mine a:b"],
            "bad_input": 1,
            "interrupted": False,
        }
    }


# JUnit


def junit(tmp_path: Path, *findings: Any) -> ET.Element:
    path = tmp_path / "junit.xml"
    report_events(JunitReport(path), events(tmp_path, *findings))
    return ET.fromstring(path.read_bytes())  # noqa: S314 - our own file


def test_one_suite_per_target_and_one_case_per_scenario(tmp_path: Path) -> None:
    root = junit(tmp_path, FAILED, finding("untestable", "target"), finding("warn", "model"))
    suites = [(s.get("name"), s.get("tests"), s.get("failures"), s.get("errors")) for s in root]
    assert suites == [
        ("bad input", "1", "0", "1"),
        ("builtin", "1", "0", "0"),
        ("mine", "1", "1", "0"),
    ]
    [case] = root[2]
    assert (case.get("classname"), case.get("name")) == ("mine.anthropic_messages.text", "hello")
    assert [failure.get("message") for failure in case] == [
        "text failed",
        "target failed",
    ]
    assert 'expected:  "Hello"' in str(case[0].text)
    assert "reproduce: harness run it" in str(case[0].text)


def test_a_bad_file_is_an_error_of_its_own(tmp_path: Path) -> None:
    [case] = junit(tmp_path)[0]
    assert case.get("name") == "a.yaml"
    assert case[0].tag == "error"
    assert case[0].get("message") == "a.yaml:3: it is\ufffd bad"


@pytest.mark.parametrize("sign", ["\x00", "\x0b", "\x1b", "\ud800", "\ufffe", "\uffff"])
def test_what_xml_cannot_hold_is_replaced(sign: str) -> None:
    assert clean(f"a{sign}b") == "a\ufffdb"


def test_what_xml_can_hold_stays() -> None:
    text = "\t\n ~\x85\ud7ff\ue000\ufffd😀"
    assert clean(text) == text


def test_without_bad_input_there_is_no_suite_for_it(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    run = [one for one in events(tmp_path) if type(one).__name__ != "BadInput"]
    report_events(JunitReport(path), run)
    assert b"bad input" not in path.read_bytes()


# The terminal


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def page(tmp_path: Path, *findings: Any, out: io.StringIO | None = None, **given: Any) -> str:
    out = out or io.StringIO()
    verbose = given.pop("verbose", False)
    report_events(
        TerminalReport(None, verbose=verbose, out=out), events(tmp_path, *findings, **given)
    )
    return out.getvalue()


def test_the_page_holds_matrix_failure_and_summary(tmp_path: Path) -> None:
    text = page(tmp_path, FAILED, finding("warn", "model"))
    assert "bad input: a.yaml:3: it is" in text
    assert "protocol/topic             builtin       mine\n" in text
    assert "anthropic_messages/text        1/1        0/1\n" in text
    assert "mine: FAILED anthropic_messages/text/hello\n" in text
    assert "  scenario     Two words and a natural end\n" in text
    assert "  check        text\n    expected   'Hello'\n" in text
    assert "  requirement  The text, the finish `stop` and the merged usage are" in text
    assert "  source       docs/catalogue.md#an-001 (AN-001)\n" in text
    assert "  reproduce    harness run it\n" in text
    assert "mine: 1 fail, 1 warn\n" in text
    assert "checked 2 of 2 pairs of scenario and target in 0.5 s (250.0 ms each)\n" in text
    assert "input files that could not be used: 1; the others were checked\n" in text
    assert "\x1b" not in text


def test_a_source_is_shown_with_its_address(tmp_path: Path) -> None:
    text = page(tmp_path, finding("fail", sources=(SOURCE,)))
    assert "  requirement  A text is a text.\n" in text
    assert "  source       https://example.org/spec\n" in text


def test_an_invariant_cites_itself_and_not_the_scenario(tmp_path: Path) -> None:
    text = page(tmp_path, finding("fail", "chunk_sum", sources=(SOURCE,)))
    assert "  requirement " not in text
    assert "  source       docs/requirements.md (chunk_sum)\n" in text


def test_long_values_are_cut(tmp_path: Path) -> None:
    text = page(tmp_path, finding("fail", expected=["x" * 500]))
    assert max(map(len, text.splitlines())) < 200
    assert "…" in text


def test_only_the_first_failures_are_shown_unless_verbose(tmp_path: Path) -> None:
    short, long = (many_failures(tmp_path, SHOWN + 2, verbose=way) for way in (False, True))
    assert "mine: 2 more scenarios failed; see --verbose" in short
    assert f"check_{SHOWN}" not in short
    assert f"check_{SHOWN + 1}" in long


def many_failures(tmp_path: Path, count: int, *, verbose: bool) -> str:
    first, bad, other, _, last = events(tmp_path)
    failed = [result(tmp_path, "mine", finding("fail", f"check_{n}")) for n in range(count)]
    out = io.StringIO()
    report_events(
        TerminalReport(None, verbose=verbose, out=out), [first, bad, other, *failed, last]
    )
    return out.getvalue()


def test_failures_of_one_scenario_are_one_block(tmp_path: Path) -> None:
    text = page(tmp_path, finding("fail"), finding("fail", "finish", sources=(SOURCE,)))
    assert text.count("FAILED anthropic_messages/text/hello") == 1
    assert (
        text.count("  scenario ") == text.count("  requirement ") == text.count("  reproduce ") == 1
    )
    assert text.index("check        text") < text.index("check        finish")


def test_warnings_are_shown_when_verbose(tmp_path: Path) -> None:
    warning = finding("warn", "model")
    verbose = page(tmp_path, warning, verbose=True)
    assert "mine: warning anthropic_messages/text/hello\n" in verbose
    assert "  check        model (warning)\n" in verbose
    assert "anthropic_messages/text/hello" not in page(tmp_path, warning)


def test_stale_entries_and_interruptions_are_shown(tmp_path: Path) -> None:
    text = page(tmp_path, FAILED, stale=("mine a:b",), interrupted=True)
    assert "stale baseline entry, it passes now: mine a:b\n" in text
    assert "interrupted after 2 of 2 pairs" in text


def test_a_run_without_a_result_is_reported_as_such() -> None:
    out = io.StringIO()
    nothing = RunFinished(0, 0.0, {"mine": Counter()})
    report_events(TerminalReport(None, out=out), [RunStarted(0, ("mine",)), nothing])
    assert out.getvalue().startswith("\nmine: nothing checked\nchecked 0 of 0 pairs")


def test_colours_and_progress_only_on_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    text = page(tmp_path, FAILED, out=Terminal())
    assert "\r\x1b[K1/2 anthropic_messa\r" in text
    assert "\x1b[31m" in text
    assert "\x1b[32m" in text


# Snapshots


def test_a_snapshot_is_json_with_one_item_per_line() -> None:
    outcome = Outcome(
        chunks=(Chunk("text", "Hi", 0), Chunk("tool_call", index=0, id="call_x9", name="f")),
        content=(
            Text(text="Hi \ud83d"),
            ToolCall(id="call_x9", name="f", arguments_raw="{}", arguments={}, complete=True),
        ),
        response_id="resp_random",
    )
    text = snapshot_text(outcome)
    assert text.encode("utf-8").endswith(b"}\n")
    data = json.loads(text)
    assert data["content"][0]["text"] == "Hi \ud83d"
    assert data["chunks"][1]["id"] == data["content"][1]["id"] == "id-1"
    assert data["response_id"] == "id-2"
    assert data["notes"] == []
    assert '    {"kind": "text", "text": "Hi", "part": 0},\n' in text
    assert snapshot_text(outcome) == text


def test_a_long_string_is_its_beginning_its_length_and_a_digest() -> None:
    text, changed = "a" * 5000, "a" * 4999 + "b"
    [shown] = json.loads(snapshot_text(Outcome(content=(Text(text=text),))))["content"]
    [other] = json.loads(snapshot_text(Outcome(content=(Text(text=changed),))))["content"]
    assert shown["text"].startswith(f"{'a' * 40}… (5,000 chars, sha256 ")
    assert shown["text"] != other["text"]
    in_full = json.loads(snapshot_text(Outcome(content=(Text(text="a" * LONGEST),))))
    assert in_full["content"][0]["text"] == "a" * LONGEST


def test_a_table_holds_only_what_differs() -> None:
    one = Outcome(
        chunks=(Chunk("text", "a", 0), Chunk("text", "b", 0)), finish="stop", notes=("x",)
    )
    two = Outcome(chunks=(Chunk("text", "a"), Chunk("text", "c")), finish="length")
    rows = differing("s", one, two)
    assert rows == [("s", "chunks[1].text", '"b"', '"c"'), ("s", "finish", '"stop"', '"length"')]
    assert differing("s", one, one) == []
    table = table_text("sdk", 3, rows).splitlines()
    assert table[0] == "3 scenarios agree with builtin in all but notes"
    assert table[1].split() == ["scenario", "field", "builtin", "sdk"]
    assert table[2].split() == ["s", "chunks[1].text", '"b"', '"c"']


def test_chunks_of_other_kinds_are_one_row_of_counts() -> None:
    one = Outcome(chunks=(Chunk("text", "a"), Chunk("text", "b"), Chunk("stop_reason")))
    [row] = differing("s", one, Outcome())
    assert row == ("s", "chunks", "text*2 stop_reason", "none")


def test_a_long_cell_still_shows_every_change() -> None:
    one, two = (Outcome(error=ErrorInfo(kind="server", message="m" * 90 + end)) for end in "xy")
    [left], [right] = differing("s", Outcome(), one), differing("s", Outcome(), two)
    assert left.other != right.other
    assert len(left.other) == len(right.other) < 60
