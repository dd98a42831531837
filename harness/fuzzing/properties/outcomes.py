"""Properties of every outcome: the invariants of ``harness.checks``, and the next request.

They hold for legal and for corrupted streams, so a campaign evaluates them on both.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from harness.checks.invariants import INVARIANTS, OutcomeSeen
from harness.checks.next_request import ACCEPTED, next_request
from harness.fuzzing.properties.property import Counterexample, Property
from harness.generation.byte_source import ByteSource
from harness.generation.mutations.corrupting import CORRUPTING, corrupt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    from harness.checks.invariants import StreamInvariant
    from harness.fuzzing.properties.property import Replay
    from harness.generation.cases import Case
    from harness.model import Event, FinishReason, Outcome
    from harness.wire.script import Script

    FinishTable: TypeAlias = Mapping[str, FinishReason]
    Violated: TypeAlias = Callable[[Script, Outcome, FinishTable], Counterexample | None]


def _evaluate(violated: Violated, case: Case, replay: Replay) -> Counterexample | None:
    """Evaluate the outcome of the stream itself or of a corrupted one, as the choices say."""
    source = ByteSource(case.choices)
    items: tuple[Event | bytes, ...] = case.events
    if source.next() % 2:
        items = corrupt(source.choose(tuple(CORRUPTING)), case.events, source, case.protocol)
    script = case.script_of(items)
    return violated(script, replay(script).outcome, case.protocol.finish)


def _violates_invariant(
    invariant: StreamInvariant, script: Script, outcome: Outcome, reasons: FinishTable
) -> Counterexample | None:
    why = invariant.violation(OutcomeSeen(outcome, reasons))
    if not why:
        return None
    return Counterexample(script, {}, {invariant.name: why}, f"{invariant.name}: {why}")


def _refuses_next_request(
    script: Script, outcome: Outcome, _: FinishTable
) -> Counterexample | None:
    answer = next_request(outcome)
    if answer == ACCEPTED:
        return None
    return Counterexample(script, {"next_request": ACCEPTED}, {"next_request": answer}, answer)


def _of_invariant(invariant: StreamInvariant) -> Property:
    violated = partial(_violates_invariant, invariant)
    return Property(invariant.name, invariant.sentence, (), partial(_evaluate, violated))


PROPERTIES: tuple[Property, ...] = (
    *map(_of_invariant, INVARIANTS),
    Property(
        "next_request_accepted",
        "the API accepts a request with the delivered content and answers to its calls",
        ("CA-006", "AN-026"),
        partial(_evaluate, _refuses_next_request),
    ),
)
