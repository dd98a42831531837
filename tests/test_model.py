"""Values are frozen, compare by content, round-trip through JSON, and keep None apart from 0."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from harness.model import (
    Chunk,
    ErrorInfo,
    Finding,
    Media,
    Outcome,
    Reasoning,
    RedactedReasoning,
    Refusal,
    ServerTool,
    Source,
    Text,
    ToolCall,
    Usage,
)

if TYPE_CHECKING:
    from harness.model import Part

CALL = ToolCall(id="call_1", name="get", arguments_raw='{"a":1}', arguments={"a": 1}, complete=True)
PARTS: list[Part] = [
    Text(text="Hello", signature="s", citations=({"url": "u"},)),
    Reasoning(text="Hm", signature=None),
    RedactedReasoning(data="blob"),
    Refusal(text="No"),
    CALL,
    ServerTool(name="search", data={"query": "x"}),
    Media(media_type="image/png", data="AA=="),
]
ERROR = ErrorInfo(kind="server", code="500", message="oops", retryable=True)
CHUNKS = (
    Chunk("text", "Hello", 0),
    Chunk("tool_call", index=0, id="call_1", name="get", arguments='{"a"'),
    Chunk("error", error=ERROR),
    Chunk("stop_reason", finish="error"),
    Chunk("usage", usage=Usage(input=0)),
)
FULL = Outcome(
    chunks=CHUNKS,
    content=tuple(PARTS),
    finish="error",
    finish_raw="failed",
    usage=Usage(input=0, output=5),
    ending="failed",
    error=ERROR,
    response_id="r",
    model="m",
    notes=("n",),
)


@pytest.mark.parametrize("outcome", [Outcome(), FULL])
def test_an_outcome_round_trips_through_json(outcome: Outcome) -> None:
    assert Outcome.model_validate_json(outcome.model_dump_json()) == outcome
    assert (
        Outcome.model_validate(json.loads(json.dumps(outcome.model_dump(mode="json")))) == outcome
    )


@pytest.mark.parametrize("part", PARTS, ids=lambda part: str(part.kind))
def test_a_part_is_known_by_its_kind(part: Part) -> None:
    [read] = Outcome.model_validate({"content": [part.model_dump()]}).content
    assert read == part
    assert type(read) is type(part)


def test_an_empty_outcome_is_truncated_and_unknown() -> None:
    empty = Outcome()
    assert (empty.finish, empty.ending, empty.usage) == ("unknown", "truncated", None)


def test_not_reported_and_zero_differ() -> None:
    assert Usage(cached=0) != Usage()
    assert Usage(cached=0).model_dump()["cached"] == 0


def test_values_are_immutable() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        FULL.finish = "stop"  # type: ignore[misc]  # the mistake under test


@pytest.mark.parametrize(
    "data",
    [
        {"finsh": "stop"},
        {"finish": "done"},
        {"ending": "over"},
        {"chunks": [{"kind": "text", "txt": "x"}]},
        {"chunks": [{"kind": "words"}]},
        {"chunks": [{"kind": "text", "text": 5}]},
        {"content": [{"kind": "words"}]},
        {"content": [{"text": "no kind"}]},
        {"usage": {"prompt_tokens": 1}},
        {"error": {"kind": "bad luck"}},
    ],
)
def test_unknown_fields_are_rejected(data: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Outcome.model_validate(data)


def test_a_chunk_dumps_its_fields() -> None:
    assert CHUNKS[0].dump() == {"kind": "text", "text": "Hello", "part": 0}
    assert CHUNKS[4].dump()["usage"]["input"] == 0
    assert Chunk("text", "").dump() == {"kind": "text", "text": ""}


def test_an_outcome_joins_its_parts() -> None:
    assert (FULL.text, FULL.reasoning, FULL.refusal) == ("Hello", "Hm", "No")
    assert FULL.tool_calls == (CALL,)
    assert FULL.tool_call == CALL
    assert Outcome().tool_call is None


def test_rare_fields_are_written_only_where_present() -> None:
    assert "signature" not in Text(text="x").model_dump()
    assert Text(text="x", signature="s").model_dump()["signature"] == "s"
    assert "approval" not in CALL.model_dump()
    assert Reasoning(text="x").model_dump()["signature"] is None


def test_a_finding_line_has_the_contracts_keys() -> None:
    finding = Finding(
        scenario="s", target="t", check="c", verdict="fail", sources=(Source(url="u", says="w"),)
    )
    assert list(finding.model_dump()) == [
        "scenario", "target", "check", "verdict", "expected", "actual", "reproduce",
    ]  # fmt: skip
