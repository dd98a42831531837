"""An audit finds each kind of flaw, names its line, and finds none in this repository."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.auditing import Audit, Flaw
from harness.cassettes import save
from harness.cassettes.cassette import Interaction, Provenance, Stream
from harness.cli import main
from harness.errors import InputError
from tests.cassettes.samples import cassette, hello
from tests.cassettes.scrubbing.made_up_secrets import ENCODERS
from tests.scenario_files import write

if TYPE_CHECKING:
    from collections.abc import Callable

OURS = Path(__file__).parents[1]
NOW = datetime(2026, 12, 1, tzinfo=UTC)
KEY = "sk-proj-Zq7fT2vLk9WmX4hB8nRc"


@pytest.fixture
def tree(tmp_path: Path) -> Callable[..., list[Flaw | InputError]]:
    """Write a cassette and scenarios that use it; return the findings of an audit."""

    def audited(*saved: Interaction, uses: str = "mine/a.yaml#{}") -> list[Flaw | InputError]:
        save(cassette(*saved), tmp_path / "cassettes/mine/a.yaml")
        for number in range(1, len(saved) + 1):
            keys = {"origin": "recorded", "stream": ..., "cassette": uses.format(number)}
            write(tmp_path / "scenarios", f"anthropic_messages/text/n{number}", **keys)
        audit = Audit(tmp_path / "scenarios", 365, NOW)
        return list(audit.flaws([tmp_path / "cassettes", tmp_path / "scenarios"]))

    return audited


def test_a_clean_tree_has_no_flaw(tree: Any, tmp_path: Path) -> None:
    assert tree(hello(tmp_path), hello(tmp_path)) == []


def with_provenance(tmp_path: Path, **fields: Any) -> Interaction:
    provenance = Provenance("a test", **fields) if fields else None
    return hello(tmp_path, stream=Stream(None, "clean", provenance))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "it has no provenance; record it again"),
        ({"version": "1"}, "the provenance has no date"),
        ({"recorded": "yesterday"}, "'yesterday' is not an ISO 8601 date"),
        ({"recorded": "2027-01-01"}, "the recording date 2027-01-01 is in the future"),
        ({"recorded": "2024-01-01"}, "it was recorded 1065 days ago"),
        ({"recorded": "2026-11-24T12:00:00+00:00"}, None),
    ],
)
def test_a_recording_needs_a_recent_provenance(
    fields: Any, expected: str | None, tree: Any, tmp_path: Path
) -> None:
    found = tree(with_provenance(tmp_path, **fields))
    assert [(flaw.kind, expected in flaw.words) for flaw in found] == (
        [("provenance", True)] if expected else []
    )
    assert all(flaw.line > 5 for flaw in found)


def test_unused_recordings_are_found(tree: Any, tmp_path: Path) -> None:
    [orphan] = tree(hello(tmp_path), uses="mine/b.yaml")
    assert (orphan.kind, orphan.line) == ("orphan", 1)
    [unplayed] = tree(hello(tmp_path), hello(tmp_path), uses="mine/a.yaml#1")
    assert (unplayed.kind, "interaction 2" in unplayed.words) == ("unplayed", True)
    assert unplayed.line > 20


def test_a_leak_is_found_with_its_line(tree: Any, tmp_path: Path) -> None:
    interaction = hello(tmp_path)
    asked = replace(interaction.request, body=json.dumps({"key": KEY}).encode())
    [leak] = tree(replace(interaction, request=asked))
    assert (leak.kind, leak.words.startswith("OpenAI key; mask it")) == ("leak", True)
    line = (tmp_path / "cassettes/mine/a.yaml").read_text().splitlines()[leak.line - 1]
    assert KEY in line


def test_a_leak_in_fragments_or_in_a_header_is_found(tree: Any, tmp_path: Path) -> None:
    interaction = hello(tmp_path)
    body = ENCODERS["anthropic partial_json"]([KEY[at : at + 5] for at in range(0, len(KEY), 5)])
    stream = replace(interaction.response.stream, reads=None)
    response = replace(interaction.response, body=body, stream=stream)
    [hidden] = tree(replace(interaction, response=response))
    assert (hidden.kind, "OpenAI key in its response" in hidden.words) == ("leak", True)
    asked = replace(interaction.request, headers=(("x-api-key", "7f3a9c"),))
    [named] = tree(replace(interaction, request=asked))
    assert "named like a key in its request" in named.words


def test_other_texts_are_searched_and_invalid_files_reported(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(f'{{\n"a": "{KEY}"\n}}', "utf-8")
    (tmp_path / "b.yaml").write_text("interactions:\n- 5\n", "utf-8")
    (tmp_path / "c.yaml.journal").write_text("{}\n", "utf-8")
    leak, bad, journal = Audit(tmp_path / "none", 1).flaws([tmp_path])
    assert isinstance(leak, Flaw)
    assert (leak.kind, leak.line) == ("leak", 2)
    assert isinstance(bad, InputError)
    assert isinstance(journal, Flaw)
    assert journal.kind == "journal"
    [missing] = Audit(tmp_path / "none", 1).flaws([tmp_path / "nowhere.yaml"])
    assert "cannot be read (No such file" in str(missing)


def test_the_audit_command(
    tree: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["audit"]) == 2
    assert "there is no ./cassettes and no ./scenarios" in capsys.readouterr().err
    tree(hello(tmp_path), uses="mine/b.yaml")
    assert main(["audit", "--json"]) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["kind"] == "orphan"
    assert captured.err == "1 orphan\n"
    (tmp_path / "scenarios/bad.yaml").write_text("interactions:\n- 5\n", "utf-8")
    assert main(["audit", "scenarios"]) == 2
    assert main(["audit"]) == 1


def test_this_repository_has_no_flaw() -> None:
    paths = [OURS / name for name in ("cassettes", "scenarios", "tests/conformance")]
    assert [str(flaw) for flaw in Audit(OURS / "scenarios", 365 * 10).flaws(paths)] == []
