from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from harness.errors import InputError
from harness.model import Chunk, ErrorInfo, Event, Outcome
from harness.streaming.tracing.trace import ProviderTrace
from tests.streaming.tracing.samples import EVENTS, failed, good, unopened


@pytest.mark.parametrize(
    "trace",
    [
        good(),
        failed(),
        unopened(),
        good(events=EVENTS),
        good(request={"half a pair": "\ud800", "nul": "\x00"}, latency_s=0.0),
        good(outcome=Outcome(chunks=(Chunk("text", "a"), Chunk("stop_reason", finish="stop")))),
        ProviderTrace(protocol="openai_chat", provider="openai"),
    ],
    ids=["good", "failed", "unopened", "events", "odd", "chunks", "least"],
)
def test_a_trace_round_trips_through_one_line_of_ascii(trace: ProviderTrace) -> None:
    line = trace.to_json()
    assert ProviderTrace.from_json(line) == trace
    assert line.isascii()
    assert "\n" not in line


def test_an_outcome_built_without_validation_round_trips() -> None:
    outcome = Outcome.model_construct(chunks=(Chunk("text", "a"),), ending="complete")
    assert ProviderTrace.from_json(good(outcome=outcome).to_json()).outcome == outcome


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="organization_id"):
        good(organization_id="org_1")


def test_a_trace_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        good().org_id = "org_2"  # type: ignore[misc]  # the test sets it


def test_times_are_stored_in_utc_and_written_as_iso_8601() -> None:
    paris = datetime(2026, 3, 1, 13, 0, tzinfo=timezone(timedelta(hours=1)))
    trace = good(created_at=paris)
    assert trace.created_at == paris
    assert trace.created_at.tzinfo is UTC
    assert json.loads(trace.to_json())["created_at"] == "2026-03-01T12:00:00Z"
    with pytest.raises(ValidationError, match="timezone"):
        good(created_at=datetime(2026, 3, 1))  # noqa: DTZ001 - the test passes a time without zone


def test_each_trace_gets_an_id_and_a_time() -> None:
    least = {"protocol": "openai_chat", "provider": "openai"}
    one, other = ProviderTrace(**least), ProviderTrace(**least)
    assert one.id != other.id
    assert datetime.now(UTC) - one.created_at < timedelta(minutes=1)


@pytest.mark.parametrize("message", ["it failed", ""])
def test_an_error_that_is_only_a_string_is_an_error(message: str) -> None:
    assert good(error=message).failure == ErrorInfo(kind="unknown", message=message)


def test_the_failure_is_the_error_of_the_caller_or_of_the_outcome() -> None:
    own = ErrorInfo(kind="timeout")
    assert failed(error=own).failure == own
    failure = failed(error=None).failure
    assert failure is not None
    assert failure.kind == "overloaded"
    assert good().failure is None


def test_events_are_pairs_of_name_and_data_in_json() -> None:
    data = json.loads(good(events=EVENTS).to_json())
    assert data["events"] == [["ping", {"type": "ping"}], [None, "[DONE]"]]
    assert isinstance(good(events=data["events"]).events[0], Event)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("{}", "protocol: Field required"),
        ('{"protocol":"p","provider":"p","step":"s"}', "step: Extra inputs"),
    ],
)
def test_invalid_json_or_fields_are_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as refused:
        ProviderTrace.from_json(text)
    assert "\n" not in str(refused.value)
