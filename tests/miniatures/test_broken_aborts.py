"""Every abort invariant can fail: each broken target violates the one it names, builtin none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.aborting import sweep
from harness.aborting.abort_invariants import ABORT_INVARIANTS
from harness.checks.evaluation import ScenarioRun
from harness.engine.replayer import Replayer
from harness.engine.results import FAILING
from harness.engine.scenario_runner import ScenarioRunner
from harness.scenarios import consumer_of
from tests.miniatures.broken_aborts import BROKEN_ABORTS, BrokenAbort
from tests.miniatures.streams import STREAMS
from tests.scenario_files import written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.model import Finding
    from harness.scenarios import Scenario


@pytest.fixture(scope="module")
def replayer() -> Iterator[Replayer]:
    with Replayer(20.0, in_memory=True) as replayer:
        yield replayer


@pytest.fixture
def scenario(broken: BrokenAbort, tmp_path: Path) -> Scenario:
    data = {**STREAMS[broken.stream], "must": {"error": None}}
    scenario = written(tmp_path, f"anthropic_messages/aborted/{broken.name}", **data)
    return replace(scenario, consumer=consumer_of(broken.consumer))


def _failures(replayer: Replayer, scenario: Scenario, target: object) -> list[Finding]:
    findings = (
        ScenarioRunner(replayer, sweep=sweep).run(ScenarioRun(scenario, "it"), target).findings
    )
    return [finding for finding in findings if finding.verdict in FAILING]


@pytest.mark.parametrize("broken", BROKEN_ABORTS, ids=[broken.name for broken in BROKEN_ABORTS])
def test_a_broken_abort_violates_one_invariant_and_builtin_none(
    broken: BrokenAbort, scenario: Scenario, replayer: Replayer
) -> None:
    failures = _failures(replayer, scenario, broken.target())
    assert [finding.check for finding in failures] == [broken.breaks]
    assert "abort points" in failures[0].actual
    assert "--consumer" in failures[0].reproduce
    assert _failures(replayer, scenario, "builtin") == []


def test_every_abort_invariant_has_a_broken_target() -> None:
    assert {invariant.name for invariant in ABORT_INVARIANTS} == {
        broken.breaks for broken in BROKEN_ABORTS
    }
