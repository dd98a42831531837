"""Laws of what is said: nothing is lost, nothing invented, however the message is woven."""

from __future__ import annotations

from dataclasses import replace
from itertools import repeat
from typing import TYPE_CHECKING

from harness.fuzzing.properties.property import Broken, Property, compare
from harness.generation.byte_source import ByteSource
from harness.generation.capabilities import calls_of, expected
from harness.generation.views import view
from harness.protocols import names, protocol
from harness.protocols.message import DeltaPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.fuzzing.properties.property import Deliver
    from harness.generation.cases import Case
    from harness.model import JSON, Event, Outcome
    from harness.protocols.message import Message
    from harness.wire.script import Script


def _view(outcome: Outcome) -> dict[str, JSON]:
    """Return a view with the ids of calls, which the wire has told."""
    ids = [call.id for call in outcome.tool_calls]
    seen = view(outcome)
    calls = [{"id": i, **call} for i, call in zip(ids, seen["tool_calls"], strict=True)]
    return {**seen, "tool_calls": calls}


def _owed(case: Case) -> tuple[Message, dict[str, JSON]]:
    said = case.said
    assert said is not None  # noqa: S101 - laws of messages are held against messages only
    return said, expected(case.protocol_name, said)


def _round_trip(case: Case, tell: Deliver) -> Broken | None:
    _, expected = _owed(case)
    told = tell(case.script)
    return compare(case.script, expected, told, _view(told.outcome), "what was said comes back")


def _rewoven(
    plain: DeltaPlan, other: Callable[[ByteSource], DeltaPlan]
) -> Callable[[Case, Deliver], Broken | None]:
    """Return the judge of a law that tells the same message in two weaves."""

    def judge(case: Case, tell: Deliver) -> Broken | None:
        one, two = _woven(case, plain), _woven(case, other(ByteSource(case.dice)))
        if one.frames == two.frames:
            return None
        expected, told = view(tell(one).outcome), tell(two)
        return compare(two, expected, told, view(told.outcome), "woven otherwise")

    return judge


def _woven(case: Case, weave: DeltaPlan) -> Script:
    said, _ = _owed(case)
    return case.spoken(tuple(case.protocol.encode(said, weave)))


def _whole(text: str) -> list[str]:
    return [text] if text else []


def _halves(text: str) -> list[str]:
    middle = (len(text) + 1) // 2
    return [piece for piece in (text[:middle], text[middle:]) if piece]


_rechunking = _rewoven(DeltaPlan(split=_whole), lambda tape: DeltaPlan(split=tape.pieces))
_interleaving = _rewoven(
    DeltaPlan(split=_halves), lambda tape: DeltaPlan(split=_halves, pick=tape.below)
)


def _usage_assigned(case: Case, tell: Deliver) -> Broken | None:
    said, expected = _owed(case)
    if said.usage is None or said.ending not in {"complete", "incomplete"}:
        return None
    events = tuple(_counted_twice(case.protocol_name, case.events, ByteSource(case.dice)))
    script = case.spoken(events)
    told = tell(script)
    wanted = {"usage": expected["usage"]}
    return compare(script, wanted, told, view(told.outcome), "the last count stands")


def _counted_twice(name: str, events: Sequence[Event], tape: ByteSource) -> Iterator[Event]:
    """Report counts early and again, smaller than the last: each is the sum so far."""
    earlier = protocol(name).oracle.earlier_usage
    for event in events:
        report = earlier(event, _half)
        if report is not None:
            yield from repeat(report, 1 + tape.below(2))
        yield event


def _half(value: JSON) -> JSON:
    if isinstance(value, dict):
        return {key: _half(inner) for key, inner in value.items()}
    return value // 2 if isinstance(value, int) else value


_PARITY = ("text", "finish", "ending", "tool_calls")
_SHARED = ("name", "arguments", "complete")  # of a call


def _parity(case: Case, tell: Deliver) -> Broken | None:
    """Tell the same message over the next wire; what both can say has to be one."""
    known = names()
    following = known[(known.index(case.protocol_name) + 1) % len(known)]
    other = replace(case, protocol_name=following)
    both = {one.protocol_name: _alike(one) for one in (case, other)}
    mine, theirs = both.values()
    if mine != theirs:
        return None  # one of the wires cannot say it
    told = tell(other.script, protocol=other.protocol_name)
    if told.unspoken:
        return None
    here = tell(case.script)
    found = compare(other.script, _shared(here.outcome), told, _shared(told.outcome), "parity")
    return found and replace(found, protocol=other.protocol_name)


def _alike(case: Case) -> JSON:
    said, expected = _owed(case)
    calls = calls_of(case.protocol_name, said)
    shared = [{field: call[field] for field in _SHARED} for call in calls]
    return {**{key: expected.get(key) for key in _PARITY}, "tool_calls": shared}


def _shared(outcome: Outcome) -> dict[str, JSON]:
    seen = view(outcome)
    calls = [{field: call[field] for field in _SHARED} for call in seen["tool_calls"]]
    shared = {key: seen[key] for key in _PARITY}
    if outcome.ending in {"truncated", "failed"}:
        return {"text": shared["text"], "ending": shared["ending"]}
    return {**shared, "tool_calls": calls}


LAWS: tuple[Property, ...] = (
    Property(
        "round_trip",
        "what a model said is what a listener delivers: words, calls, finish, usage, ending",
        ("TR-002", "OC-029", "AN-026", "OR-029"),
        _round_trip,
        of_messages=True,
    ),
    Property(
        "rechunking",
        "how words and arguments fall into deltas changes nothing",
        ("TR-022", "OC-027"),
        _rechunking,
        of_messages=True,
    ),
    Property(
        "interleaving",
        "calls that overlap are the calls that follow one another",
        ("OC-029", "OR-027"),
        _interleaving,
        of_messages=True,
    ),
    Property(
        "usage_assigned",
        "counts that are reported again are sums so far: the last one stands",
        ("OC-005", "AN-002", "GE-023"),
        _usage_assigned,
        of_messages=True,
    ),
    Property(
        "parity",
        "one message over two wires is one answer, as far as both can say it",
        (),
        _parity,
        of_messages=True,
    ),
)
