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
    from collections.abc import Callable
    from typing import TypeAlias

    from harness.checks.invariants import StreamInvariant
    from harness.fuzzing.properties.property import Trial
    from harness.generation.cases import Case
    from harness.model import JSON
    from harness.wire.script import Script

    Difference: TypeAlias = tuple[dict[str, JSON], dict[str, JSON], str]  # expected, actual, why


def _violation(
    difference: Callable[[OutcomeSeen], Difference | None], trial: Trial
) -> Counterexample | None:
    case, replay = trial
    script = _script(case)
    found = difference(OutcomeSeen(replay(script).outcome, case.protocol.finish))
    return None if found is None else Counterexample(script, *found)


def _script(case: Case) -> Script:
    """Return the stream itself or a corrupted one, as the choices decide."""
    source = ByteSource(case.choices)
    if source.next() % 2 == 0:
        return case.script_of(case.events)
    name = source.choose(tuple(CORRUPTING))
    return case.script_of(corrupt(name, case.events, source, case.protocol))


def _of_invariant(invariant: StreamInvariant) -> Property:
    def difference(seen: OutcomeSeen) -> Difference | None:
        why = invariant.violation(seen)
        return ({}, {invariant.name: why}, f"{invariant.name}: {why}") if why else None

    return Property(
        invariant.name, invariant.sentence, invariant.sources, partial(_violation, difference)
    )


def _next_request_refused(seen: OutcomeSeen) -> Difference | None:
    answer = next_request(seen.outcome)
    if answer == ACCEPTED:
        return None
    return {"next_request": ACCEPTED}, {"next_request": answer}, answer


PROPERTIES: tuple[Property, ...] = (
    *map(_of_invariant, INVARIANTS),
    Property(
        "next_request_accepted",
        "the API accepts a request with the delivered content and results of its calls",
        ("CA-006", "AN-026"),
        partial(_violation, _next_request_refused),
    ),
)
