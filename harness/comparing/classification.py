"""The category of a difference: requirements decide where they can, the rest is for review.

Both sides are checked against the scenario's requirements and the invariants. A check whose verdict
changed is a violation or an improvement; every other difference is a changed snapshot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from harness.checks.evaluation import ScenarioRun, evaluate
from harness.checks.invariants import evaluate_invariants
from harness.comparing.differences import Difference, Layer, changed_layer, differences
from harness.protocols import protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.comparing.sides import SideResult
    from harness.comparing.streams import Stream
    from harness.model import JSON

Category: TypeAlias = Literal[
    "requirement violated", "snapshot changed", "improved", "only cosmetic"
]
CATEGORIES: tuple[Category, ...] = (
    "requirement violated", "snapshot changed", "improved", "only cosmetic"
)  # fmt: skip


class Change(NamedTuple):
    """One change in one stream: its category, and the layer in which it began.

    A difference that ``follows`` is in a layer above the first one that differs.
    """

    category: Category
    layer: Layer
    shape: str
    place: str
    before: JSON
    after: JSON
    follows: bool = False


class _Result(NamedTuple):
    verdict: str
    actual: JSON


def classified(
    stream: Stream, before: SideResult, after: SideResult, target: str
) -> tuple[Change, ...]:
    """Return every change between the results of two sides for one stream."""
    found = differences(before, after)
    first = changed_layer(found)
    checks = list(_requirement_changes(stream, before, after, target, first or "outcome"))
    return (*checks, *(_snapshot_change(difference, first) for difference in found))


def verdicts(stream: Stream, result: SideResult, target: str) -> Mapping[str, _Result]:
    """Return the verdict of every check on one side: check -> verdict and actual value."""
    if stream.scenario is not None:
        pair = ScenarioRun(stream.scenario, target)
        found = {f.check: _Result(f.verdict, f.actual) for f in evaluate(pair, result.outcome)}
    else:
        finish = protocol(stream.ask.protocol).finish
        found = {
            invariant.name: _Result("fail" if wrong else "pass", wrong)
            for invariant, wrong in evaluate_invariants(result.outcome, finish)
        }
    complaint = _Result("fail", result.complaint) if result.complaint else _Result("pass", None)
    return {**found, "target": complaint}


def _requirement_changes(
    stream: Stream, before: SideResult, after: SideResult, target: str, layer: Layer
) -> Iterator[Change]:
    old, new = verdicts(stream, before, target), verdicts(stream, after, target)
    for check, now in new.items():
        was = old.get(check, _Result("pass", None))
        category = _TURNS.get((was.verdict, now.verdict))
        if category is not None:
            shape = f"{check}: {was.verdict} -> {now.verdict}"
            yield Change(category, layer, shape, check, was.actual, now.actual)


def _snapshot_change(difference: Difference, first: Layer | None) -> Change:
    layer, shape, place, before, after, cosmetic = difference
    category: Category = "only cosmetic" if cosmetic else "snapshot changed"
    return Change(category, layer, shape, place, before, after, not cosmetic and layer != first)


# From which verdict to which -> what it means; a `should` that is no longer met is for review.
_TURNS: Mapping[tuple[str, str], Category] = {
    ("pass", "fail"): "requirement violated",
    ("warn", "fail"): "requirement violated",
    ("open", "fail"): "requirement violated",
    ("fail", "pass"): "improved",
    ("fail", "warn"): "improved",
    ("warn", "pass"): "improved",
    ("pass", "warn"): "snapshot changed",
}
