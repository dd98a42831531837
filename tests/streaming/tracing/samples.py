"""Traces to write: of a successful step, of a failed one, and of one that never opened."""

from __future__ import annotations

from typing import Any

from harness.model import ErrorInfo, Event, Outcome, Reasoning, Text, ToolCall, Usage
from harness.streaming.tracing.trace import ProviderTrace

CALL = ToolCall(
    id="call_1",
    name="get",
    arguments_raw='{"city":"Paris"}',
    arguments={"city": "Paris"},
    complete=True,
)
OUTCOME = Outcome(
    content=(
        Reasoning(text="Let me look.", signature="c2ln"),
        Text(text="Here it is: \u2028 \x7f \U0001f600"),
        CALL,
    ),
    finish="tool_calls",
    finish_raw="tool_use",
    usage=Usage(input=30, cached=20, cache_write=0, output=12, reasoning=4, total=42),
    ending="complete",
    response_id="msg_1",
    model="claude-test-2",
)


def good(**more: Any) -> ProviderTrace:
    fields: dict[str, Any] = {
        "created_at": "2026-03-01T12:00:00.250000Z",
        "protocol": "anthropic_messages",
        "provider": "anthropic",
        "model": "claude-test",
        "call_type": "agent_step",
        "run_id": "run_1",
        "step_id": "step_1",
        "agent_id": "agent_1",
        "org_id": "org_1",
        "user_id": "user_1",
        "tags": ("a", "b"),
        "request": {"messages": [{"role": "user", "content": "secret words"}]},
        "outcome": OUTCOME,
        "latency_s": 1.5,
        "first_chunk_s": 0.25,
    }
    return ProviderTrace(**{**fields, **more})


def failed(**more: Any) -> ProviderTrace:
    error = ErrorInfo(kind="overloaded", code="overloaded_error", message="Overloaded")
    outcome = Outcome(finish="error", ending="failed", error=error)
    return good(**{"outcome": outcome, "error": error, "first_chunk_s": None, **more})


def unopened(**more: Any) -> ProviderTrace:
    return good(**{"outcome": None, "error": "connection refused", "first_chunk_s": None, **more})


EVENTS = (Event("ping", {"type": "ping"}), Event(None, "[DONE]"))
