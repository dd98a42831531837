"""The sweep through the stack: one run, left at every step and after every frame in every way.

One finding a law tells of all these points, and names the first that breaks it. The steps of a run
are the same each time, so the command that shows it again needs no more than the scenario's name.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from harness.checks.run_invariants import RUN_INVARIANTS, violated_run_invariants
from harness.engine.stack.client import DEPARTURES, INTERRUPTIONS
from harness.engine.stack.stack import Stack
from harness.engine.stack.stack_run import Abort

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from harness.checks.evaluation import ScenarioRun
    from harness.model import Finding
    from harness.targets.layers import Layers

WAYS = (*INTERRUPTIONS, *DEPARTURES)
# Keepalive -> the interruptions to try. With pings a task of its own stands between the client and
# the run, and is where a second cancellation would do harm; a timeout cancels the client's task as
# anybody does, so it is tried where nothing stands between.
_INTERRUPTED = {False: ("fire", "cancel", "timeout"), True: ("fire", "cancel", "cancel again")}


class Violated(NamedTuple):
    """A law that was broken: where first, how, and at how many points."""

    point: str
    words: str
    times: int


def sweep_stack(pair: ScenarioRun, layers: Layers) -> Iterator[Finding]:
    """Yield one finding for each law of a run.

    Args:
        pair: the scenario, and the target's name.
        layers: the target's.
    """
    points, broken = evaluate_runs(pair, layers)
    for law in RUN_INVARIANTS:
        wrong = broken.get(law.name)
        if wrong is None:
            yield pair.finding(law.name, "pass", law.says, f"held at {points} cut points")
        else:
            words = f"{wrong.point}: {wrong.words}; {wrong.times} of {points} cut points break it"
            yield pair.finding(law.name, "fail", f"{law.says} ({law.source})", words)


def evaluate_runs(
    pair: ScenarioRun, layers: Layers, ways: Collection[str] = WAYS
) -> tuple[int, dict[str, Violated]]:
    """Leave a run everywhere; return at how many points, and the laws that were broken."""
    points, counts = 0, Counter[str]()
    first: dict[str, tuple[str, str]] = {}
    for keepalive in (False, True):
        for point, found in _points(pair, layers, ways, keepalive=keepalive):
            points += 1
            counts.update(found.keys())
            first = {**{name: (point, words) for name, words in found.items()}, **first}
    return points, {name: Violated(*first[name], counts[name]) for name in counts}


def _points(
    pair: ScenarioRun, layers: Layers, ways: Collection[str], *, keepalive: bool
) -> Iterator[tuple[str, dict[str, str]]]:
    name = " with pings" if keepalive else ""
    with Stack(layers, pair.scenario, keepalive=keepalive) as stack:
        stack.play()  # SDKs prepare themselves in their first request
        plain, steps = stack.play()
        yield f"read to the end{name}", violated_run_invariants(plain, plain)
        interruptions = [way for way in _INTERRUPTED[keepalive] if way in ways]
        departures = [way for way in DEPARTURES if way in ways]
        leaves = (
            *(Abort(way, step) for way in interruptions for step in range(1, steps)),
            *(Abort(way, count) for way in departures for count in range(len(plain.heard) + 1)),
        )
        for leave in leaves:
            seen, _ = stack.play(leave)
            if seen.left:
                yield f"{leave}{name}", violated_run_invariants(seen, plain)
