"""Every law of leaving can fail: each miniature breaks exactly the one it names, builtin none."""

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
from tests.miniatures.broken_aborts import LEAVERS, Leaver
from tests.miniatures.streams import STREAMS
from tests.scenario_files import written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.model import Finding
    from harness.scenarios import Scenario


@pytest.fixture(scope="module")
def player() -> Iterator[Replayer]:
    with Replayer(20.0, in_memory=True) as player:
        yield player


@pytest.fixture
def scenario(leaver: Leaver, tmp_path: Path) -> Scenario:
    story = {**STREAMS[leaver.stream], "must": {"error": None}}
    told = written(tmp_path, f"anthropic_messages/leaving/{leaver.name}", **story)
    return replace(told, consumer=consumer_of(leaver.consumer))


def _red(player: Replayer, scenario: Scenario, target: object) -> list[Finding]:
    findings = ScenarioRunner(player, sweep=sweep).run(ScenarioRun(scenario, "it"), target).findings
    return [finding for finding in findings if finding.verdict in FAILING]


@pytest.mark.parametrize("leaver", LEAVERS, ids=[leaver.name for leaver in LEAVERS])
def test_a_sin_breaks_one_law_and_builtin_none(
    leaver: Leaver, scenario: Scenario, player: Replayer
) -> None:
    red = _red(player, scenario, leaver.target())
    assert [finding.check for finding in red] == [leaver.breaks]
    assert "abort points" in red[0].actual
    assert "--consumer" in red[0].reproduce
    assert _red(player, scenario, "builtin") == []


def test_every_law_of_leaving_has_its_sinner() -> None:
    assert {law.name for law in ABORT_INVARIANTS} == {leaver.breaks for leaver in LEAVERS}
