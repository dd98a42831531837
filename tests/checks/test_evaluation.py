"""From an outcome to findings: what each key looks at, and how severe a miss is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.checks.evaluation import CHECKS, INVARIANT_NAMES, ScenarioRun, evaluate
from harness.checks.expectations import EXPECTATIONS, meets
from harness.model import Chunk, ErrorInfo, Finding, Outcome, Reasoning, Text, ToolCall, Usage
from tests.scenario_files import written

if TYPE_CHECKING:
    from pathlib import Path

    from harness.model import JSON

DONE = ToolCall(id="c", name="get", arguments_raw="{}", arguments={}, complete=True)
CUT = ToolCall(id="d", name="put", arguments_raw='{"', arguments=None, complete=False)
ERROR = ErrorInfo(kind="server", code="500", message="oops")
OUTCOME = Outcome(
    chunks=(
        Chunk("reasoning", "Hm", 0),
        Chunk("text", "Hel", 1),
        Chunk("text", "lo", 1),
        Chunk("ping"),
        Chunk("error", error=ERROR),
        Chunk("stop_reason", finish="error"),
        Chunk("usage", usage=Usage(input=1)),
    ),
    content=(Reasoning(text="Hm", signature="s"), Text(text="Hello"), DONE, CUT),
    finish="error",
    finish_raw="failed",
    usage=Usage(input=1),
    ending="failed",
    error=ERROR,
    response_id="r",
    model="m",
    notes=("usage_missing", "unknown_event: x"),
)
SEEN: dict[str, JSON] = {
    "text": "Hello",
    "reasoning": "Hm",
    "refusal": "",
    "kinds": ["reasoning", "text", "tool_call", "tool_call"],
    "content": [{"signature": "s"}, {"text": "Hello"}, {"id": "c"}, {"id": "d"}],
    "tool_calls": [{"arguments": {}, "complete": True}, {"arguments": None, "complete": False}],
    "executable": ["get"],
    "finish": "error",
    "finish_raw": "failed",
    "ending": "failed",
    "usage": {"input": 1, "cached": None},
    "error": {"kind": "server", "code": "500"},
    "response_id": "r",
    "model": "m",
    "notes": ["unknown_event"],
    "chunks": [{"kind": "reasoning", "part": 0}, {"text": "Hel"}, {"text": "lo"}],
    "chunk_texts": ["Hel", "lo"],
    "chunk_kinds": ["reasoning", "text"],
    "emitted": {"chunks": 7, "letters": {"$at_most": 7}},
    "next_request": "accepted",
}


def test_every_key_is_tested_here() -> None:
    assert set(SEEN) == set(EXPECTATIONS) == CHECKS


@pytest.mark.parametrize("key", sorted(EXPECTATIONS))
def test_a_key_reads_what_its_name_says(key: str) -> None:
    assert meets(key, SEEN[key], EXPECTATIONS[key].read(OUTCOME))
    assert not meets(key, ["something", "else"], EXPECTATIONS[key].read(OUTCOME))


def test_nothing_reported_is_null() -> None:
    assert EXPECTATIONS["usage"].read(Outcome()) is None
    assert EXPECTATIONS["error"].read(Outcome()) is None


@pytest.mark.parametrize(
    ("expected", "met"),
    [
        ([], True),
        (["usage_missing", "unknown_event: x"], True),
        (["usage"], True),
        (["missing"], False),
        ([5], False),
        ("usage_missing", False),
    ],
)
def test_notes_are_met_by_their_beginnings(expected: JSON, met: bool) -> None:  # noqa: FBT001 - a table's column
    assert meets("notes", expected, EXPECTATIONS["notes"].read(OUTCOME)) is met


def findings(tmp_path: Path, outcome: Outcome = OUTCOME, **changes: Any) -> dict[str, Finding]:
    pair = ScenarioRun(written(tmp_path, **changes), "mine")
    return {finding.check: finding for finding in evaluate(pair, outcome)}


def test_a_must_fails_a_should_warns_and_an_open_value_is_recorded(tmp_path: Path) -> None:
    found = findings(
        tmp_path,
        must={"text": "Bye", "ending": "failed", "model": {"$open": "no document says"}},
        should={"response_id": "x", "finish": "error"},
    )
    verdicts = {
        key: finding.verdict for key, finding in found.items() if key not in INVARIANT_NAMES
    }
    assert verdicts == {
        "text": "fail", "ending": "pass", "model": "open", "response_id": "warn", "finish": "pass",
    }  # fmt: skip
    assert (found["text"].expected, found["text"].actual) == ("Bye", "Hello")
    assert found["model"].actual == "m"


def test_every_invariant_gives_a_finding(tmp_path: Path) -> None:
    found = findings(tmp_path, Outcome(usage=Usage(output=-1)))
    assert set(found) == {"text", *INVARIANT_NAMES}
    assert found["usage_counts"].verdict == "fail"
    assert found["usage_counts"].expected == "no token count is negative"
    assert found["usage_counts"].actual == "output is negative"
    assert found["chunk_sum"].verdict == "pass"


def test_a_finding_shows_the_expected_fields(tmp_path: Path) -> None:
    found = findings(tmp_path, must={"error": {"kind": "timeout"}})["error"]
    assert found.actual == {"kind": "server"}


def test_a_finding_can_be_reproduced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    away = findings(tmp_path / "a folder")["text"].reproduce
    assert away == (
        f"harness run anthropic_messages/text/hello --target mine --scenarios '{tmp_path}/a folder'"
    )
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenarios").mkdir()
    pair = ScenarioRun(written(type(tmp_path)("scenarios")), "python:my.app:listen")
    assert pair.command() == (
        "harness run anthropic_messages/text/hello --target python:my.app:listen"
    )
