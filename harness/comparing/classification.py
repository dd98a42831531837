"""What a difference means: law is judged on both sides, everything else is a photograph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from harness.checks.evaluation import ScenarioRun, evaluate
from harness.checks.invariants import violated_invariants
from harness.comparing.differences import Difference, Layer, changed_layer, differences
from harness.protocols import protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.comparing.sides import SideResult
    from harness.comparing.streams import Stream
    from harness.model import JSON

Category: TypeAlias = Literal["law broken", "photograph changed", "improved", "only cosmetic"]
MEANINGS: tuple[Category, ...] = (
    "law broken", "photograph changed", "improved", "only cosmetic"
)  # fmt: skip


class Change(NamedTuple):
    """One thing that moved in one stream, what it means, and the layer in which it began.

    A difference that ``follows`` stands in a layer above the one that moved first.
    """

    meaning: Category
    layer: Layer
    shape: str
    place: str
    before: JSON
    after: JSON
    follows: bool = False


class _Law(NamedTuple):
    verdict: str
    actual: JSON


def classified(
    stream: Stream, before: SideResult, after: SideResult, target: str
) -> tuple[Change, ...]:
    """Return everything that moved between two hearings of a stream."""
    found = differences(before, after)
    first = changed_layer(found)
    laws = list(_laws(stream, before, after, target, first or "outcome"))
    return (*laws, *(_photograph(difference, first) for difference in found))


def broken(stream: Stream, heard: SideResult, target: str) -> Mapping[str, _Law]:
    """Return the verdict of every law on one side: check -> verdict, and what was seen."""
    if stream.scenario is not None:
        pair = ScenarioRun(stream.scenario, target)
        laws = {f.check: _Law(f.verdict, f.actual) for f in evaluate(pair, heard.outcome)}
    else:
        finish = protocol(stream.ask.protocol).finish
        laws = {
            law.name: _Law("fail" if wrong else "pass", wrong)
            for law, wrong in violated_invariants(heard.outcome, finish)
        }
    said = _Law("fail", heard.complaint) if heard.complaint else _Law("pass", None)
    return {**laws, "target": said}


def _laws(
    stream: Stream, before: SideResult, after: SideResult, target: str, layer: Layer
) -> Iterator[Change]:
    old, new = broken(stream, before, target), broken(stream, after, target)
    for check, law in new.items():
        was = old.get(check, _Law("pass", None))
        meaning = _TURNS.get((was.verdict, law.verdict))
        if meaning is not None:
            shape = f"law {check}: {was.verdict} -> {law.verdict}"
            yield Change(meaning, layer, shape, check, was.actual, law.actual)


def _photograph(difference: Difference, first: Layer | None) -> Change:
    layer, shape, place, before, after, cosmetic = difference
    meaning: Category = "only cosmetic" if cosmetic else "photograph changed"
    return Change(meaning, layer, shape, place, before, after, not cosmetic and layer != first)


# From which verdict to which -> what it means; a `should` that is no longer met is for review.
_TURNS: Mapping[tuple[str, str], Category] = {
    ("pass", "fail"): "law broken",
    ("warn", "fail"): "law broken",
    ("open", "fail"): "law broken",
    ("fail", "pass"): "improved",
    ("fail", "warn"): "improved",
    ("warn", "pass"): "improved",
    ("pass", "warn"): "photograph changed",
}
