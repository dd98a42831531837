"""The sweep through the full stack: where a run is aborted, and what is reported."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from harness.aborting import sweep
from harness.aborting.full_stack.client import DISCONNECTS, INTERRUPTIONS
from harness.aborting.full_stack.stack import PACE_S, PATIENCE_S, Stack
from harness.aborting.full_stack.stack_run import Abort
from harness.aborting.full_stack.sweep import WAYS, evaluate_runs
from harness.aborting.run_invariants import RUN_INVARIANTS
from harness.checks.evaluation import ScenarioRun
from harness.engine.replayer import Replayer
from harness.engine.scenario_runner import ScenarioRunner
from harness.protocols import NAMES
from harness.scenarios import load, scenario_root
from harness.sdks.clients import SdkClients
from harness.streaming.adapter import StreamAdapter
from harness.targets.builtin import BuiltinListening
from harness.targets.layers import Layers
from tests.miniatures.broken_layers import LeavesTheResponse, Polls
from tests.scenario_files import written

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator
    from pathlib import Path

    from harness.model import Chunk, Finding
    from harness.scenarios import Scenario
    from harness.targets.base import Call

INVARIANT_NAMES = {invariant.name for invariant in RUN_INVARIANTS}
ROOT = scenario_root()


def scenario_named(protocol: str, name: str) -> Scenario:
    return load(ROOT / f"{protocol}/cancellation/{name}.yaml", ROOT)


@pytest.fixture(params=[False, True], ids=["plain", "pings"])
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    scenario = scenario_named("openai_chat", "tool_call")
    with Stack(Layers(), scenario, keepalive=request.param) as made:
        made.run()
        yield made


def test_a_run_takes_the_same_steps_each_time(stack: Stack) -> None:
    abort = Abort("cancel", 30)
    for wanted in (None, abort):
        (first, steps), (second, again) = stack.run(wanted), stack.run(wanted)
        assert steps == again
        assert first.at_s == second.at_s
        assert [frame.label for frame in first.events] == [frame.label for frame in second.events]


def test_an_undisturbed_run_has_two_agent_steps(stack: Stack) -> None:
    seen, _ = stack.run()
    assert not seen.aborted
    assert seen.stored is not None
    assert (seen.stored.status, seen.stop_reason) == ("completed", "end_turn")
    finishes = [step.outcome.finish for step in seen.steps if step.outcome]
    assert finishes == ["tool_calls", "stop"]
    assert seen.events[-1].label == "done"


def test_a_cancelled_run_keeps_its_messages_and_reports_its_end(stack: Stack) -> None:
    plain, steps = stack.run()
    whole = [frame.label for frame in plain.events].count("message")
    counts = set()
    for step in range(1, steps):
        seen, _ = stack.run(Abort("fire", step))
        labels = [frame.label for frame in seen.events]
        if seen.aborted and seen.stop_reason == "cancelled":
            assert labels[-1] == "done"
            counts.add(labels.count("message"))
    assert counts == set(range(whole + 1))


def test_a_run_is_aborted_in_every_silence(stack: Stack) -> None:
    plain, steps = stack.run()
    moments = {stack.run(Abort("cancel", step))[0].at_s for step in range(1, steps)}
    silences = int(plain.at_s / PACE_S)
    assert silences > 5
    assert len(moments) > silences


@pytest.mark.parametrize("protocol", NAMES)
def test_a_silent_provider_is_aborted_at_once(protocol: str) -> None:
    """CA-004: by virtual time, so it cannot be a matter of luck."""
    with Stack(Layers(), scenario_named(protocol, "silent_provider"), keepalive=False) as stack:
        stack.run()
        plain, steps = stack.run()
        fired = [stack.run(Abort("fire", step))[0] for step in range(1, steps)]
    silent = [seen for seen in fired if seen.aborted and seen.at_s == plain.at_s - PATIENCE_S]
    assert {(seen.stop_reason, seen.held_s) for seen in silent} == {("cancelled", 0.0)}


def test_an_unclosed_silent_response_is_found_although_all_bytes_arrived() -> None:
    run = ScenarioRun(scenario_named("anthropic_messages", "silent_provider"), "it")
    _, broken = evaluate_runs(run, Layers(adapter=LeavesTheResponse), {"aclose"})
    assert broken.keys() == {"run_closes_responses"}


class AsksFirst(StreamAdapter):
    """Every call of the weather tool waits for approval."""

    def stream(self, *args: Any, **named: Any) -> AsyncGenerator[Chunk, None]:
        named["requires_approval"] = {"get_weather"}
        return super().stream(*args, **named)


def test_a_run_that_waits_for_approval_can_be_aborted() -> None:
    """One stop reason, and a cancelled run stays cancelled."""
    scenario, layers = scenario_named("anthropic_messages", "tool_call"), Layers(adapter=AsksFirst)
    with Stack(layers, scenario, keepalive=False) as stack:
        assert stack.run()[0].stop_reason == "requires_approval"
    assert evaluate_runs(ScenarioRun(scenario, "it"), layers, {"fire", "aclose"})[1] == {}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_aborts_a_run_somewhere(way: str, tmp_path: Path) -> None:
    run = ScenarioRun(written(tmp_path), "it")
    points, broken = evaluate_runs(run, Layers(), {way})
    assert broken == {}
    assert points > (40 if way in INTERRUPTIONS else len(DISCONNECTS))


def findings_of(tmp_path: Path, consumer: dict[str, object], target: object) -> dict[str, Finding]:
    with Replayer(5.0, in_memory=True) as replayer:
        run = ScenarioRun(written(tmp_path, consumer=consumer), "it")
        findings = ScenarioRunner(replayer, sweep=sweep).run(run, target).findings
    return {finding.check: finding for finding in findings}


def test_findings_count_abort_points_and_reading_to_the_end_has_none(
    tmp_path: Path,
) -> None:
    findings = findings_of(tmp_path, {"do": "full_stack"}, "builtin")
    assert findings.keys() >= INVARIANT_NAMES
    assert {findings[name].verdict for name in INVARIANT_NAMES} == {"pass"}
    assert "abort points" in findings["run_is_cancelled"].actual
    assert not INVARIANT_NAMES & findings_of(tmp_path, {"do": "read"}, "builtin").keys()
    assert not INVARIANT_NAMES & findings_of(tmp_path, {"do": "every"}, "builtin").keys()
    assert not INVARIANT_NAMES & findings_of(tmp_path, {"do": "full_stack"}, "sdk").keys()


class Polling:
    """A whole system whose runs are cancelled by polling, with the interfaces of ``builtin``."""

    name = "polling"
    protocols = NAMES
    layers = Layers(registry=Polls)

    def listen(self, call: Call) -> BuiltinListening:
        return BuiltinListening(SdkClients(call.transport), call)


def test_a_violated_invariant_names_first_point_count_and_source(tmp_path: Path) -> None:
    findings = findings_of(tmp_path, {"do": "full_stack"}, Polling)
    broken = findings["run_ends_at_once"]
    assert [name for name, found in findings.items() if found.verdict == "fail"] == [broken.check]
    assert re.fullmatch(
        r"fire at step \d+: the client was held for 1 s; violated at \d+ of \d+ abort points",
        broken.actual,
    )
    assert "CA-004" in broken.expected
    assert broken.reproduce.startswith("harness run ")
