"""Runs one scenario on one target, also under its mutations and aborts, and evaluates everything.

What a consumer that aborts does, and what must hold then, is defined in ``harness.aborting``, a
layer above. Its function is passed in as a ``Sweep``.
"""

from __future__ import annotations

from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

from harness.checks.evaluation import ScenarioRun, evaluate
from harness.checks.matching import with_ordinals
from harness.engine.results import ScenarioResult, TargetResult
from harness.generation.mutations import MUTATIONS
from harness.targets.base import Call
from harness.targets.resolving import listens_in_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from harness.engine.executor import StreamConsumer
    from harness.engine.replayer import Replayer
    from harness.model import JSON, Finding, Verdict
    from harness.scenarios import Scenario
    from harness.wire.script import Script


class Replay(Protocol):
    """Replays a script to the target of one scenario run."""

    def __call__(self, script: Script, consumer: StreamConsumer | None = None) -> TargetResult:
        """Return what the target delivered; ``consumer`` reads its chunks, None reads all."""


class SweepInput(NamedTuple):
    """What a sweep is given of one scenario run.

    Args:
        run: the scenario and the target's name.
        target: the target's address, or the target itself.
        script: the scenario's response.
        replay: replays a script to the target.
        exact: every byte sent has been read, as in memory; over a socket some are on their way.
    """

    run: ScenarioRun
    target: str | object
    script: Script
    replay: Replay
    exact: bool


Sweep: TypeAlias = "Callable[[SweepInput], Iterable[Finding]]"


def call_for(scenario: Scenario) -> Call:
    """Return what a scenario asks of a target."""
    patience = scenario.transport.read_timeout
    return Call(scenario.protocol, request=scenario.call_arguments(), read_timeout=patience)


class ScenarioRunner:
    """Runs scenarios on targets.

    Args:
        replayer: replays the scenarios.
        memory: replays mutations and aborts to targets that can read from memory, where cuts are
            exact and cheap; None replays everything with the first one.
        sweep: aborts the stream where a scenario's ``consumer`` asks for it and yields findings;
            None makes such a scenario untestable.
    """

    def __init__(
        self, replayer: Replayer, memory: Replayer | None = None, sweep: Sweep | None = None
    ) -> None:
        self._replayer, self._memory, self._sweep = replayer, memory, sweep

    def run(self, run: ScenarioRun, target: str | object | None = None) -> ScenarioResult:
        """Return what one target delivered for one scenario, and every finding on it.

        Args:
            run: the scenario, and the target's name in reports.
            target: the target itself, where its name is not an address.

        Raises:
            InputError: the target cannot be found or made.
        """
        started = perf_counter()
        scenario = run.scenario
        call = call_for(scenario)
        address = run.target if target is None else target
        script = scenario.script()
        result = self._replayer.replay(address, call, script)
        findings = tuple(self._findings(run, address, call, script, result))
        seconds = perf_counter() - started
        return ScenarioResult(scenario, run.target, result.outcome, findings, seconds)

    def _findings(
        self,
        run: ScenarioRun,
        address: str | object,
        call: Call,
        script: Script,
        result: TargetResult,
    ) -> Iterator[Finding]:
        if result.unsupported:
            sentence = f"the target supports {run.scenario.protocol}"
            yield run.finding("target", "untestable", sentence, result.problem)
            return
        if result.problem:
            sentence = "the target ends every stream with an outcome"
            yield run.finding("target", "fail", sentence, result.problem)
        yield from evaluate(run, result.outcome)
        if result.problem:
            return  # every further replay would show the same problem again
        in_memory = self._memory if self._memory and listens_in_memory(address) else None
        replayer = in_memory or self._replayer
        replay = partial(replayer.replay, address, call)
        yield from _mutations(run, script, result, replay)
        if run.scenario.consumer.ways:
            yield from self._aborts(SweepInput(run, address, script, replay, replayer.in_memory))

    def _aborts(self, given: SweepInput) -> Iterable[Finding]:
        if self._sweep is not None:
            return self._sweep(given)
        sentence = "aborts are part of this run"
        return [given.run.finding("consumer", "untestable", sentence, "the runner has no sweep")]


def _mutations(
    run: ScenarioRun, script: Script, result: TargetResult, replay: Replay
) -> Iterator[Finding]:
    """Yield one finding for each mutation under which a scenario's outcome must not change."""
    expected = _essence(result)
    for name in run.scenario.holds_under:
        differing: dict[str, JSON] = {}
        for mutated in MUTATIONS[name](script):
            actual = _essence(replay(mutated))
            differing = {key: actual[key] for key in actual if actual[key] != expected[key]}
            if differing:
                break
        wanted = {key: expected[key] for key in differing}
        verdict: Verdict = "fail" if differing else "pass"
        yield run.finding(f"holds_under:{name}", verdict, wanted, differing)


def _essence(result: TargetResult) -> dict[str, JSON]:
    """Return what no preserving mutation may change: all but notes and the text of an error.

    Ids count as the order in which they were first seen: a target may mint them at random.
    """
    outcome = result.outcome
    data = with_ordinals(outcome.model_dump(mode="json", exclude={"notes"}))
    data["error"] = outcome.error and outcome.error.kind
    data["chunks"] = [
        {**chunk, "error": None} if "error" in chunk else chunk for chunk in data["chunks"]
    ]
    return {**data, "target": result.problem}
