"""Laws of the end: what was not reported is no success, and half a call is no call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.fuzzing.properties.finished import is_finished
from harness.fuzzing.properties.property import Broken, Property
from harness.generation.byte_source import ByteSource
from harness.generation.mutations.corrupting import BREAK_OFF, CORRUPTING, corrupt
from harness.model import Event, repair_surrogates
from harness.protocols.events import events_of

if TYPE_CHECKING:
    from harness.fuzzing.properties.property import Deliver
    from harness.generation.cases import Case
    from harness.model import FinishReason, Outcome
    from harness.wire.script import Script


def _spoiled(case: Case, names: tuple[str, ...]) -> Script:
    tape = ByteSource(case.dice)
    name = tape.choose(names)
    return case.spoken(corrupt(name, case.events, tape, case.protocol))


def _cut(case: Case) -> tuple[Event, ...]:
    """Return the events before a cut that the dice choose; the smallest keeps none."""
    return case.events[: ByteSource(case.dice).below(len(case.events) or 1)]


def _prefix(case: Case, tell: Deliver) -> Broken | None:
    kept = _cut(case)
    script = case.spoken(kept)
    if is_finished(case.protocol, kept):
        return None
    told, all_of_it = tell(script), tell(case.script).outcome
    if told.complaint:
        return Broken(script, why=told.complaint)
    if told.outcome.ending != "truncated":
        said = {"ending": told.outcome.ending}
        return Broken(script, {"ending": "truncated"}, said, "no terminal came")
    for kind in ("text", "reasoning", "refusal"):
        short, long = (_chunked(outcome, kind) for outcome in (told.outcome, all_of_it))
        if not long.startswith(short):
            return Broken(script, {kind: {"$one_of": [long]}}, {kind: short}, "no beginning of it")
    return None


def _chunked(outcome: Outcome, kind: str) -> str:
    return repair_surrogates(
        "".join(chunk.text or "" for chunk in outcome.chunks if chunk.kind == kind)
    )


def _held(case: Case, tell: Deliver) -> Broken | None:
    """A cut stream yields the words that came before the cut, every one."""
    kept = _cut(case)
    if case.said is None or is_finished(case.protocol, kept):
        return None
    script = case.spoken(kept)
    expected = {"text": "".join(map(case.protocol.oracle.text, kept))}
    told = tell(script)
    actual = {"text": told.outcome.text}
    return None if actual == expected else Broken(script, expected, actual, "words before the cut")


def _no_silent_success(case: Case, tell: Deliver) -> Broken | None:
    script = _spoiled(case, tuple(CORRUPTING))
    told = tell(script)
    if told.complaint:
        return Broken(script, why=told.complaint)
    if told.outcome.ending != "complete" or is_finished(case.protocol, _events(script)):
        return None
    return Broken(
        script,
        {"ending": {"$one_of": ["truncated", "failed", "incomplete"]}},
        {"ending": told.outcome.ending},
        "no terminal came",
    )


def _events(script: Script) -> list[Event]:
    return list(events_of([script.body]))


def _error_shows(case: Case, tell: Deliver) -> Broken | None:
    kept = (*_cut(case), case.protocol.oracle.error)
    if is_finished(case.protocol, kept[:-1]):
        return None
    script = case.spoken(kept)
    told = tell(script)
    if told.complaint:
        return Broken(script, why=told.complaint)
    if told.outcome.ending == "failed" and told.outcome.error is not None:
        return None
    return Broken(script, {"ending": "failed"}, {"ending": told.outcome.ending}, "an error came")


def _no_half_call(case: Case, tell: Deliver) -> Broken | None:
    said = case.said
    assert said is not None  # noqa: S101 - laws of messages are held against messages only
    script = _spoiled(case, BREAK_OFF)
    whole_ones = [(part.name, part.arguments) for part in said.content if part.kind == "tool_call"]
    told = tell(script)
    ready = [call for call in told.outcome.tool_calls if call.complete]
    half = [call for call in ready if (call.name, call.arguments) not in whole_ones]
    if not half:
        return None
    expected = [call.name for call in ready if call not in half]
    actual = [call.name for call in ready]
    return Broken(script, {"executable": expected}, {"executable": actual}, "nobody finished it")


_UNKNOWN_WORD = "invented_tomorrow"


def _restated(case: Case, event: Event) -> Event:
    """Replace the finish word of an event by one that no table has, if the event has one."""
    data = event.data
    if not isinstance(data, dict):
        return event
    changed = case.protocol.oracle.replace_finish(data, _UNKNOWN_WORD)
    return event if changed is None else Event(event.name, {**data, **changed})


_SUCCESS: frozenset[FinishReason] = frozenset({"stop", "tool_calls"})


def _unknown(case: Case, tell: Deliver) -> Broken | None:
    """Put a finish word from the future where the stream says why it stopped."""
    events = tuple(_restated(case, event) for event in case.events)
    if events == case.events:
        return None
    script = case.spoken(events)
    told = tell(script)
    if told.complaint:
        return Broken(script, why=told.complaint)
    if told.outcome.finish not in _SUCCESS:
        return None
    return Broken(script, {"finish": "unknown"}, {"finish": told.outcome.finish}, "no table has it")


LAWS: tuple[Property, ...] = (
    Property(
        "prefix",
        "a cut stream is truncated, and shows the beginning of what the whole one shows",
        ("OR-012", "AN-013", "OC-016"),
        _prefix,
    ),
    Property(
        "words_held",
        "every word that came before a cut is delivered",
        ("OR-002", "TR-011"),
        _held,
        of_messages=True,
    ),
    Property(
        "no_silent_success",
        "a stream whose terminal never came is not complete, whatever broke it",
        ("OR-012", "AN-013", "OC-016"),
        _no_silent_success,
    ),
    Property(
        "error_shows",
        "an error inside a stream makes it a failed one",
        ("OR-009", "AN-010", "OC-024"),
        _error_shows,
    ),
    Property(
        "no_half_call",
        "what may be executed of a broken stream was said in full",
        ("TR-013", "OC-019", "OR-005"),
        _no_half_call,
        of_messages=True,
    ),
    Property(
        "unknown_word",
        "a finish word of no table is no success",
        ("OC-023",),
        _unknown,
        of_messages=True,
    ),
)
