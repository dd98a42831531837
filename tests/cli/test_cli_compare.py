"""``harness compare``: exit codes, what a person reads, and what other programs do.

The sides are programs that know no SDK, so that starting them costs nothing.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.scenario_files import ID

if TYPE_CHECKING:
    from collections.abc import Callable

PROGRAM = """
import json, sys
text = sys.argv[1]
for line in sys.stdin:
    outcome = {
        "chunks": [{"kind": "text", "text": text}, {"kind": "stop_reason", "finish": "stop"}],
        "content": [{"kind": "text", "text": text}],
        "finish": "stop",
        "ending": "complete",
    }
    print(json.dumps({"id": json.loads(line)["id"], "outcome": outcome}), flush=True)
"""
CHAT_ONLY = """
async def listen(call):
    raise AssertionError
listen.protocols = ("openai_chat",)
"""
MISSING = "python:cli_targets:missing"


@pytest.fixture
def target_with(harness: Any) -> Callable[[str], str]:
    """Return the address of a target that always delivers the given text."""
    assert harness
    Path("program.py").write_text(PROGRAM, "utf-8")
    Path("chat_only.py").write_text(CHAT_ONLY, "utf-8")
    return lambda text: f"command:{sys.executable} program.py {shlex.quote(text)}"


def test_a_violated_requirement_is_1_and_is_shown_with_its_command(
    harness: Any, target_with: Any
) -> None:
    right, wrong = target_with("Hello there"), target_with("Bye")
    result = harness("compare", "hello", right, wrong)
    assert result.code == 1
    assert "REQUIREMENT VIOLATED: it passed under A and fails under B" in result.out
    assert "chunks   1 stream: text: pass -> fail" in result.out
    command = shlex.join(["harness", "compare", ID, right, wrong, "--target", "builtin"])
    assert f"reproduce {command}" in result.out
    assert "B violates requirements that A meets, in 1 stream" in result.out


def test_json_is_one_line_per_group_and_a_summary(harness: Any, target_with: Any) -> None:
    right, wrong = target_with("Hello there"), target_with("Bye")
    result = harness("compare", "hello", "--target", "sdk", wrong, right, "--json")
    assert result.code == 0
    *groups, last = result.lines()
    keys = {"verdict", "layer", "shape", "streams", "before", "after", "reproduce"}
    assert keys <= set(groups[0])
    assert {group["verdict"] for group in groups} == {"improved", "snapshot changed"}
    assert last["summary"]["sides"] == {"A": wrong, "B": right}
    assert last["summary"]["compared"] == 1


def test_exit_code_2_if_one_side_cannot_be_used_and_the_other_is_checked(
    harness: Any, target_with: Any
) -> None:
    wrong = target_with("Bye")
    result = harness("compare", "hello", MISSING, wrong)
    assert result.code == 2
    assert "has no attribute 'missing'" in result.err
    assert f"nothing was compared: usable sides: {wrong}" in result.out
    assert f"violated on it: {ID}: text" in result.out


def test_a_failed_installation_is_2_with_the_installers_message(
    harness: Any, target_with: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    result = harness(
        "compare", "hello", "no-such-package-anywhere==1.0", target_with("Hello there")
    )
    assert result.code == 2
    assert "no-such-package-anywhere==1.0: cannot be installed: " in result.err
    assert "compared 1 stream" in result.out


def test_exit_code_2_if_no_side_supports_any_stream(harness: Any, target_with: Any) -> None:
    result = harness(
        "compare", "hello", "current", target_with("a"), "--target", "python:chat_only:listen"
    )
    assert result.code == 2
    assert "skipped: 1 of anthropic_messages" in result.out
    assert "nothing was compared: no stream is supported by both sides" in result.out


def test_an_unknown_target_is_2_before_anything_is_installed(harness: Any) -> None:
    result = harness("compare", "hello", "no-such==1", "no-such==2", "--target", "buildin")
    assert result.code == 2
    assert "did you mean 'builtin'?" in result.err


def test_two_sides_are_needed(harness: Any) -> None:
    result = harness("compare", "openai==3.52.0")
    assert result.code == 2
    assert "name two sides" in result.err


def test_a_selector_without_matches_is_2(harness: Any, target_with: Any) -> None:
    result = harness("compare", "hullo", target_with("a"), target_with("b"))
    assert result.code == 2
    assert "did you mean 'hello'?" in result.err


@pytest.mark.parametrize("versions", ["openai", "openai:3..2"])
def test_an_invalid_range_is_2(harness: Any, versions: str) -> None:
    assert harness("compare", "--versions", versions).code == 2


def test_prune_prints_what_it_removed(
    harness: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "llm-stream-harness" / "environments"
    (folder / "one").mkdir(parents=True)
    (folder / "one" / "big").write_bytes(b"x" * 3_000_000)
    result = harness("compare", "--prune")
    assert (result.code, result.out) == (0, f"removed 1 environment (3 MB) from {folder}\n")
    assert list(folder.iterdir()) == []
