"""One scenario told to one target, also in its variations, and judged."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from harness.checks.evaluation import ScenarioRun, evaluate
from harness.checks.matching import with_ordinals
from harness.engine.replayer import Replayer, TargetRequest
from harness.engine.stack.sweep import sweep_stack
from harness.engine.sweep import sweep
from harness.generation.mutations import MUTATIONS
from harness.targets.addresses import replies_once
from harness.targets.resolving import layers_of, listens_in_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.engine.executor import TargetResult
    from harness.model import JSON, Finding, Outcome, Verdict
    from harness.wire.script import Script


class ScenarioRunner:
    """Tells scenarios to targets, also in the variations they hold under, and judges both.

    Args:
        player: who plays the scripts.
        memory: who plays variations to targets that can listen in memory, where cuts are exact
            and cheap; None plays everything over the first one.
    """

    def __init__(self, player: Replayer, memory: Replayer | None = None) -> None:
        self._player, self._memory = player, memory

    def tell(
        self, pair: ScenarioRun, target: str | object | None = None
    ) -> tuple[Outcome, list[Finding]]:
        """Return what one target delivered for one scenario, and every finding on it.

        Args:
            pair: the scenario, and how reports call the target.
            target: the target itself, where its name is no address.
        """
        scenario = pair.scenario
        ask = TargetRequest(scenario.protocol, scenario.ask(), scenario.transport.read_timeout)
        address = pair.target if target is None else target
        script = scenario.script()
        played = self._player.play(address, ask, script)
        if played.unspoken:
            sentence = f"the target speaks {scenario.protocol}"
            finding = pair.finding("target", "untestable", sentence, played.complaint)
            return played.outcome, [finding]
        findings = list(evaluate(pair, played.outcome))
        if played.complaint:
            sentence = "the target ends every stream with an outcome"
            findings.insert(0, pair.finding("target", "fail", sentence, played.complaint))
        else:
            player = self._memory if self._memory and listens_in_memory(address) else self._player
            play = partial(player.play, address, ask)
            findings += _variations(pair, script, played, play)
            if replies_once(address):
                findings += _unseen(pair)
            else:
                findings += sweep(pair, script, play, exact=player.in_memory)
            layers = layers_of(address)
            if layers is not None and scenario.consumer.everywhere:
                findings += sweep_stack(pair, layers)
        return played.outcome, findings


def _unseen(pair: ScenarioRun) -> Iterator[Finding]:
    """Say that leaving a stream in the middle could not be judged, where a scenario asks for it."""
    if pair.scenario.consumer.ways:
        sentence = "a reader may leave at every point"
        yield pair.finding("consumer", "open", sentence, "the target replies once a stream")


def _variations(
    pair: ScenarioRun, script: Script, played: TargetResult, play: Callable[[Script], TargetResult]
) -> Iterator[Finding]:
    expected = _essence(played)
    for name in pair.scenario.holds_under:
        differing: dict[str, JSON] = {}
        for varied in MUTATIONS[name](script):
            actual = _essence(play(varied))
            differing = {key: actual[key] for key in actual if actual[key] != expected[key]}
            if differing:
                break
        wanted = {key: expected[key] for key in differing}
        verdict: Verdict = "fail" if differing else "pass"
        yield pair.finding(f"holds_under:{name}", verdict, wanted, differing)


def _essence(played: TargetResult) -> dict[str, JSON]:
    """Return what no lawful variation may change: all but notes and the words of an error.

    Ids count as the order in which they were first seen: a target may mint them at random.
    """
    outcome = played.outcome
    data = with_ordinals(outcome.model_dump(mode="json", exclude={"notes"}))
    data["error"] = outcome.error and outcome.error.kind
    data["chunks"] = [
        {**chunk, "error": None} if "error" in chunk else chunk for chunk in data["chunks"]
    ]
    return {**data, "target": played.complaint}
