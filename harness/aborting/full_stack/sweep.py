"""The sweep through the full stack: one run, aborted at every step and after every event.

Each invariant gives one finding over all these points, which names the first point that violates
it. The steps of a run are the same each time, so the scenario's name is enough to reproduce it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from harness.aborting.full_stack.client import DISCONNECTS, INTERRUPTIONS
from harness.aborting.full_stack.stack import Stack
from harness.aborting.full_stack.stack_run import Abort
from harness.aborting.run_invariants import RUN_INVARIANTS, violated_run_invariants

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from harness.checks.evaluation import ScenarioRun
    from harness.model import Finding
    from harness.targets.layers import Layers

WAYS = (*INTERRUPTIONS, *DISCONNECTS)
# Keepalive -> the interruptions to try. With pings a task of its own stands between the client and
# the run, which is where a second cancellation would do harm; a timeout cancels the client's task
# as any caller does, so it is tried where nothing stands between.
_INTERRUPTIONS = {False: ("fire", "cancel", "timeout"), True: ("fire", "cancel", "cancel again")}


class Violated(NamedTuple):
    """A violated invariant: the first point that violates it, how, and at how many points."""

    point: str
    wrong: str
    times: int


def sweep_stack(run: ScenarioRun, layers: Layers) -> Iterator[Finding]:
    """Yield one finding for each invariant of a run.

    Args:
        run: the scenario, and the target's name.
        layers: the target's.
    """
    points, violated = evaluate_runs(run, layers)
    for invariant in RUN_INVARIANTS:
        name, sentence = invariant.name, invariant.sentence
        found = violated.get(name)
        if found is None:
            yield run.finding(name, "pass", sentence, f"held at {points} abort points")
        else:
            count = f"violated at {found.times} of {points} abort points"
            expected = f"{sentence} ({', '.join(invariant.sources)})"
            yield run.finding(name, "fail", expected, f"{found.point}: {found.wrong}; {count}")


def evaluate_runs(
    run: ScenarioRun, layers: Layers, ways: Collection[str] = WAYS
) -> tuple[int, dict[str, Violated]]:
    """Abort a run everywhere; return at how many points, and the violated invariants by name."""
    points, counts = 0, Counter[str]()
    first: dict[str, tuple[str, str]] = {}
    for keepalive in (False, True):
        for point, found in _points(run, layers, ways, keepalive=keepalive):
            points += 1
            counts.update(found.keys())
            first = {**{name: (point, wrong) for name, wrong in found.items()}, **first}
    return points, {name: Violated(*first[name], counts[name]) for name in counts}


def _points(
    run: ScenarioRun, layers: Layers, ways: Collection[str], *, keepalive: bool
) -> Iterator[tuple[str, dict[str, str]]]:
    name = " with pings" if keepalive else ""
    with Stack(layers, run.scenario, keepalive=keepalive) as stack:
        stack.run()  # SDKs prepare themselves in their first request
        undisturbed, steps = stack.run()
        yield f"read to the end{name}", violated_run_invariants(undisturbed, undisturbed)
        interruptions = [way for way in _INTERRUPTIONS[keepalive] if way in ways]
        disconnects = [way for way in DISCONNECTS if way in ways]
        aborts = (
            *(Abort(way, step) for way in interruptions for step in range(1, steps)),
            *(Abort(way, at) for way in disconnects for at in range(len(undisturbed.events) + 1)),
        )
        for abort in aborts:
            seen, _ = stack.run(abort)
            if seen.aborted:
                yield f"{abort}{name}", violated_run_invariants(seen, undisturbed)
