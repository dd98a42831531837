"""``harness run``: exit codes, reports, bad files, baselines and Ctrl-C."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from harness.engine.results import ScenarioResult
from harness.reports.terminal import TerminalReport
from tests.scenario_files import ID, write, write_text

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_exit_code_0_if_every_requirement_holds(harness: Any) -> None:
    result = harness("run", "--timeout", "20")
    assert result.code == 0
    assert "builtin: 16 pass\n" in result.out
    assert "checked 2 of 2 pairs" in result.out


def test_a_violated_requirement_is_1_and_shown_with_its_command(harness: Any) -> None:
    result = harness("run", "hello", "--target", "python:cli_targets:empty")
    assert result.code == 1
    assert f"python:cli_targets:empty: FAILED {ID}" in result.out
    assert f"reproduce    harness run {ID} --target python:cli_targets:empty" in result.out


def test_a_consumer_aborts_every_stream(harness: Any) -> None:
    result = harness("run", "hello", "--consumer", "cancel:1", "--json")
    assert result.code == 0
    actual = {line.get("check"): line.get("actual") for line in result.lines()}
    assert actual["aborted_is_cancelled"] == "held at 1 abort points"


def test_a_violated_abort_invariant_is_shown_with_the_command_of_its_abort_point(
    harness: Any,
) -> None:
    target = "python:cli_targets:empty"
    result = harness("run", "hello", "--consumer", "break", "--target", target)
    assert result.code == 1
    assert f"FAILED {ID}\n" in result.out
    assert "  check        aborted_is_cancelled\n" in result.out
    assert f"reproduce    harness run {ID} --target {target} --consumer break:1" in result.out


def test_two_workers_report_what_one_reports_even_if_one_dies(harness: Any, tmp_path: Path) -> None:
    target = "python:cli_targets:dies_once"
    write_text(tmp_path / "scenarios", "openai_chat/text/broken", "title: [")
    baseline = tmp_path / "baseline"
    baseline.write_text(f"{target} {ID}:text  # known\nbuiltin {ID}:text  # stale\n", "utf-8")
    targets = ("--target", "builtin", "--target", target)
    words = ("run", *targets, "--baseline", baseline, "--timeout", "60", "--json")
    alone = harness(*words)
    assert not (tmp_path / "died").exists()
    shared = harness(*words, "--workers", 2)
    assert (tmp_path / "died").exists()
    assert shared.code == alone.code == 1
    *lines, summary = shared.lines()
    assert lines == alone.lines()[:-1]
    assert {line.get("verdict") for line in lines} >= {"pass", "fail", "known", None}
    expected = alone.lines()[-1]["summary"]
    assert (expected["checked"], expected["bad_input"], len(expected["stale"])) == (4, 1, 1)
    assert summary["summary"] == {**expected, "seconds": summary["summary"]["seconds"]}


def test_an_unknown_consumer_is_2(harness: Any) -> None:
    result = harness("run", "hello", "--consumer", "cancle")
    assert result.code == 2
    assert "did you mean 'cancel'?" in result.err


def test_a_target_that_fails_is_a_finding(harness: Any) -> None:
    result = harness("run", "hello", "--target", "python:cli_targets:raises")
    assert result.code == 1
    assert "raised ValueError: no words" in result.out


def test_an_advisory_target_is_checked_but_does_not_affect_the_exit_code(harness: Any) -> None:
    target = "python:cli_targets:empty"
    result = harness("run", "hello", "--target", "builtin", "--advisory", target)
    assert result.code == 0
    assert f"{target}: FAILED" in result.out
    assert harness("run", "hello", "--advisory", target).code == 0
    assert harness("run", "hello", "--target", target, "--advisory", target).code == 1


def test_json_lines_have_the_documented_keys(harness: Any) -> None:
    result = harness("run", "hello", "--target", "python:cli_targets:empty", "--json")
    *findings, last = result.lines()
    keys = ["scenario", "target", "check", "verdict", "expected", "actual", "reproduce"]
    assert all(list(finding) == keys for finding in findings)
    assert findings[0]["verdict"] == "fail"
    assert list(last) == ["summary"]
    assert list(last["summary"]) == [
        "checked", "seconds", "targets", "stale", "bad_input", "interrupted",
    ]  # fmt: skip


def test_json_and_reports_are_both_written(harness: Any, here: Path) -> None:
    result = harness(
        "run", "--json", "--report", "junit=junit.xml", "--report", "terminal=page.txt"
    )
    assert result.lines()[-1]["summary"]["checked"] == 2
    assert ET.parse(here / "junit.xml").getroot().tag == "testsuites"  # noqa: S314 - our own file
    assert "checked 2 of 2 pairs" in (here / "page.txt").read_text("utf-8")


def test_bad_files_are_named_and_the_others_run(harness: Any, here: Path) -> None:
    root = here / "scenarios"
    bad = {
        "malformed": "title: [",
        "protocol": "",
        "tagged": "title: !!python/object/apply:os.system [x]",
        "deep": "title: " + "[" * 200_000,
        "twice": "title: a\ntitle: b",
    }
    for name, text in bad.items():
        write_text(root, f"bad/{name}", text)
    write(root, "bad/word", protocol="antropic_messages")
    write(root, "bad/key", tittle="x")
    write(root, "bad/check", must={"txt": ""})
    (root / "bad/binary.yaml").write_bytes(b"\x00\xff\xfe")
    (root / "bad/folder.yaml").mkdir()
    (root / "bad/gone.yaml").symlink_to(here / "nowhere")
    result = harness("run", "--json")
    assert result.code == 2
    lines = result.lines()
    messages = [line["bad_input"] for line in lines if "bad_input" in line]
    assert len(messages) == 11
    assert all(message.startswith("scenarios/bad/") for message in messages)
    assert lines[-1]["summary"]["checked"] == 2
    assert lines[-1]["summary"]["bad_input"] == 11
    listed = harness("list")
    assert listed.code == 2
    assert len(listed.out.splitlines()) == 2
    assert "2 scenarios, 11 with errors\n" in listed.err


def test_a_violated_requirement_is_1_despite_a_bad_file(harness: Any, here: Path) -> None:
    write_text(here / "scenarios", "bad/malformed", "[")
    assert harness("run", "--target", "python:cli_targets:empty").code == 1


def test_a_baseline_accepts_failures_until_they_pass(harness: Any, here: Path) -> None:
    target = "python:cli_targets:empty"
    findings = harness("run", "hello", "--target", target, "--json").lines()[:-1]
    red = [finding["check"] for finding in findings if finding["verdict"] == "fail"]
    entries = "".join(f"{target} {ID}:{check}  # accepted\n" for check in red)
    (here / "baseline").write_text(entries, "utf-8")
    result = harness("run", "hello", "--target", target, "--baseline", "baseline")
    assert result.code == 0
    assert f"{len(red)} known" in result.out
    (here / "baseline").write_text(f"builtin {ID}:text  # failed before\n", "utf-8")
    result = harness("run", "hello", "--baseline", "baseline")
    assert result.code == 1
    assert f"stale baseline entry, it passes now: builtin {ID}:text" in result.out
    (here / "baseline").write_text("builtin\n", "utf-8")
    result = harness("run", "--baseline", "baseline")
    assert result.code == 2
    assert "baseline:1: write it as TARGET SCENARIO:CHECK  # reason" in result.err


def test_reports_are_written_even_if_another_fails(
    harness: Any, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.reports.jsonl.write_report", lambda *_: 1 / 0)
    result = harness("run", "--report", "junit=junit.xml", "--report", "jsonl=x")
    assert result.code == 3
    assert (here / "junit.xml").exists()


def test_ctrl_c_during_a_report_ends_with_a_summary(
    harness: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = TerminalReport.handle

    def interrupted(report: TerminalReport, event: Any) -> None:
        handle(report, event)
        if isinstance(event, ScenarioResult):
            raise KeyboardInterrupt

    monkeypatch.setattr(TerminalReport, "handle", interrupted)
    result = harness("run")
    assert result.code == 130
    assert "interrupted after 1 of 2 pairs" in result.out
