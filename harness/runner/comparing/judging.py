"""What a difference means: law is judged on both sides, everything else is a photograph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from harness.checks.judging import Pair, judge
from harness.checks.laws import broken_laws
from harness.protocols import protocol
from harness.runner.comparing.differences import Difference, Layer, differences, moved

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.model import JSON
    from harness.runner.comparing.sides import Heard
    from harness.runner.comparing.streams import Stream

Meaning: TypeAlias = Literal["law broken", "photograph changed", "improved", "only cosmetic"]
MEANINGS: tuple[Meaning, ...] = (
    "law broken", "photograph changed", "improved", "only cosmetic"
)  # fmt: skip


class Moved(NamedTuple):
    """One thing that moved in one stream, what it means, and the layer in which it began.

    A difference that ``follows`` stands in a layer above the one that moved first.
    """

    meaning: Meaning
    layer: Layer
    shape: str
    place: str
    before: JSON
    after: JSON
    follows: bool = False


class _Law(NamedTuple):
    verdict: str
    actual: JSON


def judged(stream: Stream, before: Heard, after: Heard, target: str) -> tuple[Moved, ...]:
    """Return everything that moved between two hearings of a stream."""
    found = differences(before, after)
    first = moved(found)
    laws = list(_laws(stream, before, after, target, first or "outcome"))
    return (*laws, *(_photograph(difference, first) for difference in found))


def broken(stream: Stream, heard: Heard, target: str) -> Mapping[str, _Law]:
    """Return the verdict of every law on one side: check -> verdict, and what was seen."""
    if stream.scenario is not None:
        pair = Pair(stream.scenario, target)
        laws = {f.check: _Law(f.verdict, f.actual) for f in judge(pair, heard.outcome)}
    else:
        finish = protocol(stream.ask.protocol).finish
        laws = {
            law.name: _Law("fail" if wrong else "pass", wrong)
            for law, wrong in broken_laws(heard.outcome, finish)
        }
    said = _Law("fail", heard.complaint) if heard.complaint else _Law("pass", None)
    return {**laws, "target": said}


def _laws(
    stream: Stream, before: Heard, after: Heard, target: str, layer: Layer
) -> Iterator[Moved]:
    old, new = broken(stream, before, target), broken(stream, after, target)
    for check, law in new.items():
        was = old.get(check, _Law("pass", None))
        meaning = _TURNS.get((was.verdict, law.verdict))
        if meaning is not None:
            shape = f"law {check}: {was.verdict} -> {law.verdict}"
            yield Moved(meaning, layer, shape, check, was.actual, law.actual)


def _photograph(difference: Difference, first: Layer | None) -> Moved:
    layer, shape, place, before, after, cosmetic = difference
    meaning: Meaning = "only cosmetic" if cosmetic else "photograph changed"
    return Moved(meaning, layer, shape, place, before, after, not cosmetic and layer != first)


# From which verdict to which -> what it means; a `should` that is no longer met is for review.
_TURNS: Mapping[tuple[str, str], Meaning] = {
    ("pass", "fail"): "law broken",
    ("warn", "fail"): "law broken",
    ("open", "fail"): "law broken",
    ("fail", "pass"): "improved",
    ("fail", "warn"): "improved",
    ("warn", "pass"): "improved",
    ("pass", "warn"): "photograph changed",
}
