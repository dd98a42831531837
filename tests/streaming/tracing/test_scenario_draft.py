"""An incident in production becomes a regression test, checked with the real interfaces."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import InputError, UnknownWordError
from harness.model import (
    ErrorInfo,
    Event,
    Outcome,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Usage,
)
from harness.protocols import NAMES, protocol
from harness.scenarios import Scenario, lint, load
from harness.streaming.decoding import wire_events as decoded_events
from harness.streaming.interfaces import interface_for
from harness.streaming.tracing.scenario_draft import dump_scenario, wire_events
from tests.streaming.tracing.samples import CALL, OUTCOME, good, unopened

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from harness.streaming.tracing.trace import ProviderTrace

ENCODABLE = Outcome(
    content=(Text(text="Here it is."), CALL),
    finish="tool_calls",
    usage=Usage(input=30, output=12, total=42),
    ending="complete",
    response_id="resp_7",
    model="model-7",
)
CUT_CALL = ToolCall(id="c", name="get", arguments_raw='{"ci', arguments=None, complete=False)


def outcome_of(name: str, events: Iterable[Event]) -> Outcome:
    """Return the outcome of a stream in our interface."""
    frame = protocol(name).frame
    interface = interface_for(name)()
    try:
        list(interface.chunks_sync(decoded_events(map(frame, events), name)))
    except Exception:  # noqa: BLE001 - the outcome has the error
        assert interface.outcome().error is not None
    return interface.outcome()


def differing(one: Outcome, other: Outcome, *ignored: str) -> dict[str, Any]:
    left, right = one.model_dump(exclude={"chunks"}), other.model_dump(exclude={"chunks"})
    unequal = {key for key in left if left[key] != right[key]}
    return {key: (left[key], right[key]) for key in unequal - {"notes", "finish_raw", *ignored}}


# Trace to stream


def test_recorded_events_are_replayed_as_they_are() -> None:
    events = (Event("ping", {"type": "ping"}), Event(None, "[DONE]"))
    assert wire_events(good(events=events)) == list(events)


@pytest.mark.parametrize("name", NAMES)
def test_an_encoded_outcome_gives_the_same_outcome(name: str) -> None:
    events = wire_events(good(protocol=name, outcome=ENCODABLE))
    assert protocol(name).violations(events) == []
    assert not differing(outcome_of(name, events), ENCODABLE)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ending", ["truncated", "cancelled"])
def test_a_truncated_or_aborted_stream_is_truncated_again(name: str, ending: str) -> None:
    outcome = Outcome(content=(Text(text="Half of"),), ending=ending, finish="unknown")
    replayed = outcome_of(name, wire_events(good(protocol=name, outcome=outcome)))
    assert (replayed.ending, replayed.text) == ("truncated", "Half of")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "error", [ErrorInfo(kind="server", code="server_error", message="It failed."), None]
)
def test_a_failure_fails_again(name: str, error: ErrorInfo | None) -> None:
    outcome = Outcome(content=(Text(text="So far"),), finish="error", ending="failed", error=error)
    replayed = outcome_of(name, wire_events(good(protocol=name, outcome=outcome)))
    assert (replayed.ending, replayed.text) == ("failed", "So far")
    assert replayed.error is not None
    assert replayed.error.message == ("" if error is None else "It failed.")


def test_the_requested_model_is_used_if_the_outcome_has_none() -> None:
    outcome = ENCODABLE.model_copy(update={"model": None, "response_id": None})
    replayed = outcome_of("anthropic_messages", wire_events(good(outcome=outcome, model="asked")))
    assert replayed.model == "asked"
    assert replayed.response_id


@pytest.mark.parametrize("finish", ["unknown", "cancelled"])
def test_a_finish_that_the_protocol_cannot_express_is_refused(finish: str) -> None:
    outcome = ENCODABLE.model_copy(update={"finish": finish})
    with pytest.raises(InputError, match="cannot express the finish"):
        wire_events(good(outcome=outcome))


def test_a_trace_without_events_and_outcome_cannot_be_replayed() -> None:
    with pytest.raises(InputError, match="nothing to replay"):
        wire_events(unopened())
    with pytest.raises(InputError, match="nothing to suggest"):
        dump_scenario(unopened())


def test_an_unknown_protocol_is_refused() -> None:
    with pytest.raises(UnknownWordError):
        wire_events(good(protocol="openai_chats"))


# Trace to scenario


def scenario_of(trace: ProviderTrace, tmp_path: Path) -> Scenario:
    path = tmp_path / trace.protocol / "incidents" / "one.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(dump_scenario(trace), encoding="utf-8")
    return load(path, tmp_path)


# The keys of `must` and `should`, from the scenario format.
CHECKS = {
    "text", "reasoning", "refusal", "tool_calls", "finish", "finish_raw", "ending", "usage", "error"
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_the_scenario_has_the_stream_and_passes_the_lint(name: str, tmp_path: Path) -> None:
    trace = good(protocol=name, outcome=ENCODABLE)
    scenario = scenario_of(trace, tmp_path)
    assert scenario.wire() == wire_events(trace)
    assert list(lint(scenario, CHECKS, ())) == []
    assert (scenario.protocol, scenario.order, scenario.origin) == (name, "legal", "synthesized")
    assert scenario.must["text"] == "Here it is."
    assert scenario.must["usage"] == {"input": 30, "output": 12, "total": 42}
    assert scenario.must["error"] is None


ODD = (
    "\x85 \x9b \u2028 \u2029 \ufeff \uffff \U0001f600 \x00 \x7f : # & * ! | > ' \" % @ ` { } [ ] "
    "\\ \n \r\n \t yes 1e-05 é"
)


def test_every_character_and_number_of_a_recorded_event_survives_yaml(tmp_path: Path) -> None:
    data = {
        "type": "odd",
        ODD: ODD,
        "numbers": [1e-05, -1e-05, 1e16, 1.5e-7, 0.1, -0.0, 12345678901234567890, 0],
        "words": [True, None, "null", "2026-03-01", "", "~", "1_000", "0o7"],
        "nested": [[], {}, [{"a": []}]],
    }
    events = (Event("odd: name", data), Event(None, data), Event(None, ODD), Event("", "[DONE]"))
    assert scenario_of(good(events=events), tmp_path).wire() == list(events)


def test_half_a_surrogate_pair_is_written_as_json_text(tmp_path: Path) -> None:
    event = Event("delta", {"text": "\ud83d"})
    scenario = scenario_of(good(events=(event,)), tmp_path)
    [read] = scenario.wire()
    assert isinstance(read, Event)
    assert isinstance(read.data, str)
    assert json.loads(read.data) == event.data


def test_the_draft_marks_recorded_and_illegal_streams(tmp_path: Path) -> None:
    stop = Event("message_stop", {"type": "message_stop"})
    scenario = scenario_of(good(events=(stop, stop)), tmp_path)
    assert (scenario.origin, scenario.order) == ("recorded", "illegal")
    assert list(lint(scenario, CHECKS, ())) == []


def test_every_requirement_is_marked_as_a_suggestion() -> None:
    text = dump_scenario(good(outcome=OUTCOME))
    requirements = text[text.index("must:") :].splitlines()
    assert "SUGGESTIONS" in text
    assert all(line.endswith("# confirm") for line in requirements if line.startswith("  "))
    assert '  finish_raw: "tool_use"  # confirm' in requirements


def test_the_requirements_have_everything_that_was_delivered(tmp_path: Path) -> None:
    outcome = Outcome(
        content=(Reasoning(text="hm"), Refusal(text="no"), CUT_CALL),
        finish="length",
        ending="incomplete",
        error=ErrorInfo(kind="truncated", code="x"),
    )
    assert scenario_of(good(outcome=outcome, protocol="openai_chat"), tmp_path).must == {
        "text": "",
        "reasoning": "hm",
        "refusal": "no",
        "tool_calls": [{"id": "c", "name": "get", "arguments_raw": '{"ci', "complete": False}],
        "finish": "length",
        "ending": "incomplete",
        "usage": None,
        "error": {"kind": "truncated"},
    }


def test_a_cancelled_stream_suggests_nothing_about_its_end(tmp_path: Path) -> None:
    outcome = Outcome(
        content=(Text(text="Half"),), finish="cancelled", finish_raw="x", ending="cancelled"
    )
    scenario = scenario_of(good(outcome=outcome), tmp_path)
    assert scenario.must == {"text": "Half", "tool_calls": []}
    assert scenario.should == {}


def test_the_request_and_all_ids_are_left_out() -> None:
    text = dump_scenario(good())
    for private in ("secret words", "org_1", "user_1", "agent_1", "run_1"):
        assert private not in text


def test_the_reason_names_the_failure_and_the_call() -> None:
    error = ErrorInfo(kind="timeout", message="no byte\nfor 60 s: \U0001f600")
    text = dump_scenario(good(error=error, call_type=None, model=None))
    assert "a request to a model failed: timeout: no byte\\nfor 60 s" in text
