"""``harness coverage``: the upgrade gate over the SDKs that are installed here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.cli import main
from harness.cli.coverage import installed
from harness.cli.coverage.words import words_in
from harness.comparing import preparation as readiness
from harness.sdks.vocabulary import CoverageRow
from tests.scenario_files import write, written

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

UNKNOWN = CoverageRow(protocol="openai_chat", category="finish", word="steered", where="unknown")


def test_no_word_of_the_installed_sdks_is_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["coverage", "--fail-under", "100"]) == 0
    assert "100.0 % of" in capsys.readouterr().out


def test_a_word_in_no_table_is_named_and_fails_under_the_limit(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = UNKNOWN.model_copy(update={"word": "stop", "where": "table"})
    monkeypatch.setattr(installed, "coverage", lambda _: [UNKNOWN, known])
    assert main(["coverage", "--fail-under", "99"]) == 1
    shown = capsys.readouterr()
    assert "unknown      openai_chat finish steered: not in a table; add it" in shown.out
    assert "50.0 % of the event types and fields are covered, under 99 %" in shown.err
    assert main(["coverage", "--fail-under", "50"]) == 0


def test_json_is_one_line_per_word_and_a_summary(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["coverage", "gemini_generate", "--json"]) == 0
    *rows, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert {row["protocol"] for row in rows} == {"gemini_generate"}
    assert last["summary"]["words"] == len(rows)
    assert set(last["summary"]["versions"]) == {"openai", "anthropic", "google-genai"}


def test_all_shows_reasons_and_how_many_scenarios_contain_a_word(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    write(tmp_path / "one")
    arguments = ["coverage", "anthropic_messages", "--all", "--scenarios", str(tmp_path / "one")]
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert "   1 scenarios anthropic_messages delta text_delta" in shown
    assert "unmodelled   anthropic_messages usage" in shown


def test_exit_code_2_if_no_sdk_is_installed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installed, "coverage", lambda _: [])
    assert main(["coverage"]) == 2
    assert "no SDK is installed" in capsys.readouterr().err


def test_words_are_keys_pairs_of_keys_and_values(tmp_path: Path) -> None:
    result = words_in([written(tmp_path)])["anthropic_messages"]["usage"]
    assert result["input_tokens"] == result["usage.input_tokens"] == result["text_delta"] == 1


def test_a_scenario_that_cannot_be_composed_is_skipped(tmp_path: Path) -> None:
    assert words_in([written(tmp_path, stream=["message_end"])]) == {}


def test_the_share_of_nothing_is_100_percent() -> None:
    assert installed.share([]) == 100.0
    assert installed.share([True, False]) == 50.0


def test_diff_shows_what_an_upgrade_changes_and_fails_if_a_word_is_in_no_table(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {"openai_chat": {"finish": frozenset({"stop", "function_call"})}}
    after = {"openai_chat": {"finish": frozenset({"stop", "length", "levitated"})}}
    monkeypatch.setattr(readiness, "vocabularies", lambda *_: [before, after])
    assert main(["coverage", "--diff", "openai==1", "openai==2"]) == 1
    shown = capsys.readouterr().out
    assert "openai==1 -> openai==2: 2 added, 1 removed" in shown
    assert "- openai_chat         finish       function_call: not in B" in shown
    assert "+ openai_chat         finish       length: in our tables; " in shown
    assert "new and in no table: openai_chat finish levitated" in shown
    assert main(["coverage", "gemini_generate", "--diff", "openai==1", "openai==2"]) == 0
    assert main(["coverage", "--diff", "openai==1", "openai==2", "--json"]) == 1
    words = [json.loads(line)["word"] for line in capsys.readouterr().out.splitlines()[1:]]
    assert {word["word"]: word["how"] for word in words}["levitated"] == "added"
