"""Properties of endings: no success without a terminal, no executable call that was cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.fuzzing.properties.property import Counterexample, Property, message_of
from harness.generation.byte_source import ByteSource
from harness.generation.mutations.corrupting import CORRUPTING, TRUNCATING, corrupt
from harness.model import Event, repair_surrogates
from harness.protocols.events import events_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.fuzzing.properties.property import Trial
    from harness.generation.cases import Case
    from harness.model import FinishReason, Outcome
    from harness.protocols.protocol import Protocol
    from harness.wire.script import Script


def is_finished(wire: Protocol, events: Iterable[Event]) -> bool:
    """Return whether the provider's terminal or an error came, whatever followed it.

    The tables alone decide, so that the answer does not depend on any streaming interface.

    Args:
        wire: the protocol.
        events: the stream, or the beginning of one.
    """
    position = wire.grammar.position()
    sufficient = wire.oracle.finished_by
    for event in events:
        for step in wire.read(event):
            position.take(step)
            if not position.unfinished() or step.label.startswith(sufficient):
                return True
    return not position.unfinished()


def _corrupted(case: Case, names: tuple[str, ...]) -> Script:
    source = ByteSource(case.choices)
    name = source.choose(names)
    return case.script_of(corrupt(name, case.events, source, case.protocol))


def _before_cut(case: Case) -> tuple[Event, ...]:
    """Return the events before a cut that the choices select; the simplest cut leaves none."""
    return case.events[: ByteSource(case.choices).below(len(case.events) or 1)]


def _prefix(trial: Trial) -> Counterexample | None:
    case, replay = trial
    events = _before_cut(case)
    script = case.script_of(events)
    if is_finished(case.protocol, events):
        return None
    result, complete = replay(script), replay(case.script).outcome
    if result.problem:
        return Counterexample(script, why=result.problem)
    if result.outcome.ending != "truncated":
        actual = {"ending": result.outcome.ending}
        return Counterexample(script, {"ending": "truncated"}, actual, "no terminal event was sent")
    for kind in ("text", "reasoning", "refusal"):
        cut, whole = (_text_of_chunks(outcome, kind) for outcome in (result.outcome, complete))
        if not whole.startswith(cut):
            why = "not a beginning of what the complete stream delivers"
            return Counterexample(script, {kind: {"$one_of": [whole]}}, {kind: cut}, why)
    return None


def _text_of_chunks(outcome: Outcome, kind: str) -> str:
    return repair_surrogates(
        "".join(chunk.text or "" for chunk in outcome.chunks if chunk.kind == kind)
    )


def _no_text_lost(trial: Trial) -> Counterexample | None:
    case, replay = trial
    events = _before_cut(case)
    if case.expressed is None or is_finished(case.protocol, events):
        return None
    script = case.script_of(events)
    wanted = {"text": "".join(map(case.protocol.oracle.text, events))}
    actual = {"text": replay(script).outcome.text}
    if actual == wanted:
        return None
    return Counterexample(script, wanted, actual, "text before the cut was not delivered")


def _no_silent_success(trial: Trial) -> Counterexample | None:
    case, replay = trial
    script = _corrupted(case, tuple(CORRUPTING))
    result = replay(script)
    if result.problem:
        return Counterexample(script, why=result.problem)
    ending = result.outcome.ending
    if ending != "complete" or is_finished(case.protocol, list(events_of([script.body]))):
        return None
    wanted = {"ending": {"$one_of": ["truncated", "failed", "incomplete"]}}
    return Counterexample(script, wanted, {"ending": ending}, "no terminal event was sent")


def _error_reported(trial: Trial) -> Counterexample | None:
    case, replay = trial
    events = _before_cut(case)
    if is_finished(case.protocol, events):
        return None
    script = case.script_of((*events, case.protocol.oracle.error))
    result = replay(script)
    if result.problem:
        return Counterexample(script, why=result.problem)
    outcome = result.outcome
    if outcome.ending == "failed" and outcome.error is not None:
        return None
    actual = {"ending": outcome.ending}
    return Counterexample(script, {"ending": "failed"}, actual, "an error was sent")


def _no_partial_call(trial: Trial) -> Counterexample | None:
    case, replay = trial
    script = _corrupted(case, TRUNCATING)
    parts = message_of(case).content
    sent = [(part.name, part.arguments) for part in parts if part.kind == "tool_call"]
    executable = [call for call in replay(script).outcome.tool_calls if call.complete]
    partial = [call for call in executable if (call.name, call.arguments) not in sent]
    if not partial:
        return None
    wanted = [call.name for call in executable if call not in partial]
    actual = [call.name for call in executable]
    why = "an executable call was not sent in full"
    return Counterexample(script, {"executable": wanted}, {"executable": actual}, why)


_UNKNOWN_REASON = "invented_tomorrow"
_SUCCESS: frozenset[FinishReason] = frozenset({"stop", "tool_calls"})


def _unknown_finish_reason(trial: Trial) -> Counterexample | None:
    case, replay = trial
    events = tuple(_with_unknown_reason(case.protocol, event) for event in case.events)
    if events == case.events:
        return None
    script = case.script_of(events)
    result = replay(script)
    if result.problem:
        return Counterexample(script, why=result.problem)
    finish = result.outcome.finish
    if finish not in _SUCCESS:
        return None
    why = "the finish reason is not in the protocol's table"
    return Counterexample(script, {"finish": "unknown"}, {"finish": finish}, why)


def _with_unknown_reason(wire: Protocol, event: Event) -> Event:
    """Replace the finish reason of an event, if it has one, by one that is in no table."""
    data = event.data
    if not isinstance(data, dict):
        return event
    changed = wire.oracle.replace_finish(data, _UNKNOWN_REASON)
    return event if changed is None else Event(event.name, {**data, **changed})


PROPERTIES: tuple[Property, ...] = (
    Property(
        "prefix",
        "a cut stream ends as truncated, and its text is a prefix of the complete stream's text",
        ("OR-012", "AN-013", "OC-016"),
        _prefix,
    ),
    Property(
        "no_text_lost",
        "all text that was sent before a cut is delivered",
        ("OR-002", "TR-011"),
        _no_text_lost,
        of_messages=True,
    ),
    Property(
        "no_silent_success",
        "a stream without a terminal event is not complete, whatever corrupted it",
        ("OR-012", "AN-013", "OC-016"),
        _no_silent_success,
    ),
    Property(
        "error_reported",
        "an error inside a stream leads to the ending `failed` and an error",
        ("OR-009", "AN-010", "OC-024"),
        _error_reported,
    ),
    Property(
        "no_partial_call",
        "an executable call of a truncated stream was sent in full",
        ("TR-013", "OC-019", "OR-005"),
        _no_partial_call,
        of_messages=True,
    ),
    Property(
        "unknown_finish_reason",
        "a finish reason that is not in the protocol's table does not count as success",
        ("OC-023",),
        _unknown_finish_reason,
        of_messages=True,
    ),
)
