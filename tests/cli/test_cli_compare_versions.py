"""``harness compare --versions``: the matrix on the page and as JSON, and its exit codes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from harness.cli.compare import versions as compare_versions
from tests.scenario_files import ID

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import json, sys
version = int(sys.argv[1].rpartition(".")[2])
text = "Hello there" if version < 3 else "Hello you"
for line in sys.stdin:
    outcome = {
        "chunks": [{"kind": "text", "text": text}, {"kind": "stop_reason", "finish": "stop"}],
        "content": [{"kind": "text", "text": text}],
        "finish": "stop",
        "ending": "complete",
    }
    print(json.dumps({"id": json.loads(line)["id"], "outcome": outcome}), flush=True)
"""


@pytest.fixture(autouse=True)
def versions(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a program of this test stand for five versions of a package."""
    (here / "program.py").write_text(PROGRAM, "utf-8")
    known = [f"1.{minor}" for minor in range(6)]
    monkeypatch.setattr(compare_versions, "releases", lambda *_: known)
    monkeypatch.setattr(
        compare_versions,
        "in_environment",
        lambda label, _: f"command:{sys.executable} program.py {label}",
    )


def test_the_first_bad_version_is_named_with_the_command_that_compares(harness: Any) -> None:
    result = harness("compare", "hello", "--versions", "mine:1..1.5")
    assert result.code == 1
    assert "builtin, 1 stream, 6 versions" in result.out
    assert "1.3       " in result.out
    assert f"reproduce harness compare {ID} mine==1.2 mine==1.3 --target builtin" in result.out


def test_the_matrix_is_json_lines_and_a_summary(harness: Any) -> None:
    result = harness("compare", "hello", "--versions", "mine:1..1.5", "--json")
    *findings, last = result.lines()
    finding = next(one for one in findings if one["shape"] == "text: pass -> fail")
    assert (finding["first"], finding["before"]) == ("mine==1.3", "mine==1.2")
    assert len(last["summary"]["versions"]) == 6


def test_a_version_that_cannot_be_used_is_2(harness: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(label: str, _: str) -> str:
        program = "no-such-program" if label.endswith("1.5") else f"{sys.executable} program.py"
        return f"command:{program} {label}"

    monkeypatch.setattr(compare_versions, "in_environment", broken)
    result = harness("compare", "hello", "--versions", "mine:1..1.5")
    assert result.code == 2
    assert "program 'no-such-program' not found" in result.err
    assert "1 version could not be used" in result.out
    assert "text: pass -> fail" in result.out, "the newest that can be used takes its place"


@pytest.mark.parametrize("option", ["--strict", "--report=html=x"])
def test_an_option_that_needs_two_sides_is_2(harness: Any, option: str) -> None:
    result = harness("compare", "--versions", "mine:1..1.5", option)
    assert result.code == 2
    assert "--versions supports neither --report nor --strict" in result.err
