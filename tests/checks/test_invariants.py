"""Each invariant of a stream, violated by outcomes that differ from valid ones in one thing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.checks.invariants import INVARIANTS, evaluate_invariants
from harness.model import Chunk, ErrorInfo, Outcome, Reasoning, Refusal, Text, ToolCall, Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model import FinishReason

FINISH: Mapping[str, FinishReason] = {
    "end_turn": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
}
STOP = Chunk("stop_reason", finish="stop")
CALL = ToolCall(id="c", name="get", arguments_raw='{"a":1}', arguments={"a": 1}, complete=True)
SHOWN = Chunk("tool_call", index=0, id="c", name="get", arguments='{"a":1}')
ERROR = ErrorInfo(kind="server")


def outcome(**fields: Any) -> Outcome:
    valid: dict[str, Any] = {
        "chunks": (STOP,),
        "finish": "stop",
        "ending": "complete",
        "finish_raw": "end_turn",
    }
    return Outcome(**{**valid, **fields})


def called(call: ToolCall, *chunks: Chunk) -> Outcome:
    stop = Chunk("stop_reason", finish="tool_calls")
    return outcome(
        content=(call,), chunks=(*chunks, stop), finish="tool_calls", finish_raw="tool_use"
    )


def ended(ending: str, finish: Any, error: ErrorInfo | None = None) -> Outcome:
    stop = Chunk("stop_reason", finish=finish)
    return outcome(ending=ending, finish=finish, error=error, finish_raw=None, chunks=(stop,))


def changed_call(**fields: Any) -> ToolCall:
    return CALL.model_copy(update=fields)


HOLDS = [
    outcome(),
    Outcome(),
    outcome(content=(Text(text="ab"),), chunks=(Chunk("text", "a"), Chunk("text", "b"), STOP)),
    outcome(  # chunks of two parts may alternate
        content=(Text(text="ac"), Text(text="b")),
        chunks=(Chunk("text", "a", 0), Chunk("text", "b", 1), Chunk("text", "c", 0), STOP),
    ),
    outcome(chunks=(STOP, Chunk("usage", usage=Usage())), usage=Usage(input=0)),
    called(CALL, SHOWN),
    called(changed_call(id=None), SHOWN),  # Gemini sends none
    called(CALL),  # a call that was never shown in pieces
    called(changed_call(arguments_raw=" ", arguments={}), SHOWN._replace(arguments=" ")),
    called(CALL, SHOWN._replace(kind="approval_request")),
    outcome(content=(changed_call(complete=False, arguments=None),), finish="stop"),
    ended("incomplete", "length"),
    ended("incomplete", "unknown"),
    ended("failed", "error", ERROR),
    ended("truncated", "unknown", ERROR),
    ended("complete", "refusal"),
    Outcome(ending="cancelled", finish="cancelled", chunks=(Chunk("text", ""),)),
]
VIOLATED = [
    ("chunk_sum", outcome(content=(Text(text="a"),))),
    ("chunk_sum", outcome(chunks=(Chunk("text", "a"), STOP))),
    ("chunk_sum", outcome(content=(Reasoning(text="a"),))),
    ("chunk_sum", outcome(content=(Refusal(text="a"),), chunks=(Chunk("text", "a"), STOP))),
    ("argument_sum", called(CALL, SHOWN._replace(arguments='{"a":2}'))),
    ("argument_sum", called(CALL, SHOWN._replace(arguments=None))),
    ("argument_sum", called(CALL, SHOWN, SHOWN._replace(index=1))),
    ("one_stop_reason", outcome(chunks=(STOP, STOP))),
    ("one_stop_reason", outcome(chunks=(Chunk("ping"),))),
    ("one_stop_reason", outcome(chunks=(STOP, Chunk("ping")))),
    ("one_stop_reason", outcome(chunks=(STOP._replace(finish="length"),))),
    ("inert_call", called(changed_call(complete=False), SHOWN)),
    ("inert_call", called(changed_call(name=None), SHOWN)),
    ("inert_call", called(changed_call(arguments=None), SHOWN)),
    ("inert_call", called(changed_call(arguments={"a": 2}), SHOWN)),
    ("inert_call", called(changed_call(arguments_raw='{"a"'), SHOWN._replace(arguments='{"a"'))),
    (
        "inert_call",
        called(changed_call(arguments_raw="[" * 100_000), SHOWN._replace(arguments="[" * 100_000)),
    ),
    ("usage_counts", outcome(usage=Usage(input=1, output=-1))),
    ("ending_agrees", ended("complete", "stop", ERROR)),
    ("ending_agrees", ended("complete", "length")),
    ("ending_agrees", ended("complete", "content_filter")),
    ("ending_agrees", ended("complete", "error")),
    ("ending_agrees", ended("incomplete", "stop")),
    ("ending_agrees", ended("failed", "error")),
    ("ending_agrees", ended("failed", "stop", ERROR)),
    ("ending_agrees", ended("truncated", "tool_calls")),
    ("ending_agrees", ended("cancelled", "stop")),
    ("unknown_is_not_success", outcome(finish_raw="invented")),
]


def violated(seen: Outcome) -> list[str]:
    return [one.name for one, wrong in evaluate_invariants(seen, FINISH) if wrong]


@pytest.mark.parametrize("seen", HOLDS)
def test_a_valid_outcome_violates_nothing(seen: Outcome) -> None:
    assert violated(seen) == []


@pytest.mark.parametrize(("name", "seen"), VIOLATED)
def test_a_violated_invariant_is_the_only_one(name: str, seen: Outcome) -> None:
    assert violated(seen) == [name]


def test_every_invariant_is_violated_here_and_has_a_sentence() -> None:
    assert {name for name, _ in VIOLATED} == {one.name for one in INVARIANTS}
    assert all(one.sentence for one in INVARIANTS)
    assert len({one.name for one in INVARIANTS}) == len(INVARIANTS)
