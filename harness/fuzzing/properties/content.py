"""Properties of content: however a message is split and interleaved, nothing is lost or added."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING

from harness.fuzzing.properties.comparison import compare, view
from harness.fuzzing.properties.property import Property, message_of
from harness.generation.byte_source import ByteSource
from harness.generation.capabilities import expected
from harness.protocols.message import DeltaPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.fuzzing.properties.property import Counterexample, Trial
    from harness.generation.cases import Case
    from harness.model import JSON, Event, Outcome
    from harness.wire.script import Script


def _round_trip(trial: Trial) -> Counterexample | None:
    case, replay = trial
    wanted = expected(case.protocol_name, message_of(case))
    result = replay(case.script)
    actual = _view_with_ids(result.outcome)
    return compare(case.script, wanted, result, actual, "the message was not delivered as sent")


def _view_with_ids(outcome: Outcome) -> dict[str, JSON]:
    """Return a view with the ids of calls, which the stream has stated."""
    ids = [call.id for call in outcome.tool_calls]
    seen = view(outcome)
    calls = [{"id": i, **call} for i, call in zip(ids, seen["tool_calls"], strict=True)]
    return {**seen, "tool_calls": calls}


def _same_with_other_deltas(
    plain: DeltaPlan, other: Callable[[ByteSource], DeltaPlan], why: str
) -> Callable[[Trial], Counterexample | None]:
    """Return a property's ``violation`` that sends the same message by two delta plans."""

    def violation(trial: Trial) -> Counterexample | None:
        case, replay = trial
        one, two = _encoded(case, plain), _encoded(case, other(ByteSource(case.choices)))
        if one.frames == two.frames:
            return None
        wanted, result = view(replay(one).outcome), replay(two)
        return compare(two, wanted, result, view(result.outcome), why)

    return violation


def _encoded(case: Case, plan: DeltaPlan) -> Script:
    return case.script_of(tuple(case.protocol.encode(message_of(case), plan)))


def _one_piece(text: str) -> list[str]:
    return [text] if text else []


def _two_pieces(text: str) -> list[str]:
    middle = (len(text) + 1) // 2
    return [piece for piece in (text[:middle], text[middle:]) if piece]


_rechunking = _same_with_other_deltas(
    DeltaPlan(split=_one_piece),
    lambda source: DeltaPlan(split=source.pieces),
    "other deltas gave another outcome",
)
_interleaving = _same_with_other_deltas(
    DeltaPlan(split=_two_pieces),
    lambda source: DeltaPlan(split=_two_pieces, pick=source.below),
    "overlapping parts gave another outcome",
)


def _usage_not_summed(trial: Trial) -> Counterexample | None:
    case, replay = trial
    message = message_of(case)
    if message.usage is None or message.ending not in {"complete", "incomplete"}:
        return None
    script = case.script_of(tuple(_with_earlier_usage(case)))
    result = replay(script)
    wanted = {"usage": expected(case.protocol_name, message)["usage"]}
    return compare(script, wanted, result, view(result.outcome), "the last report is the total")


def _with_earlier_usage(case: Case) -> Iterator[Event]:
    """Insert earlier reports of usage, each smaller than the last: each is the sum so far."""
    earlier, source = case.protocol.oracle.earlier_usage, ByteSource(case.choices)
    for event in case.events:
        report = earlier(event, _half)
        if report is not None:
            yield from repeat(report, 1 + source.below(2))
        yield event


def _half(value: JSON) -> JSON:
    if isinstance(value, dict):
        return {key: _half(inner) for key, inner in value.items()}
    return value // 2 if isinstance(value, int) else value


PROPERTIES: tuple[Property, ...] = (
    Property(
        "round_trip",
        "the outcome has the text, calls, finish, usage and ending of the message that was sent",
        ("TR-002", "OC-029", "AN-026", "OR-029"),
        _round_trip,
        of_messages=True,
    ),
    Property(
        "rechunking",
        "how text and arguments are split into deltas does not change the outcome",
        ("TR-022", "OC-027"),
        _rechunking,
        of_messages=True,
    ),
    Property(
        "interleaving",
        "calls that overlap lead to the same outcome as calls that follow one another",
        ("OC-029", "OR-027"),
        _interleaving,
        of_messages=True,
    ),
    Property(
        "usage_not_summed",
        "repeated reports of usage are totals so far: the last one counts",
        ("OC-005", "AN-002", "GE-023"),
        _usage_not_summed,
        of_messages=True,
    ),
)
