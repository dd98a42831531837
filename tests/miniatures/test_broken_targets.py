"""Every check can fail: each miniature breaks exactly the one it names, and builtin breaks none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.checks.evaluation import ScenarioRun
from harness.checks.expectations import EXPECTATIONS
from harness.checks.invariants import INVARIANTS
from harness.engine.replayer import Replayer
from harness.engine.results import FAILING
from harness.engine.scenario_runner import ScenarioRunner
from harness.engine.selection import select_scenarios
from tests.miniatures.broken_targets import SINS, Sin
from tests.scenario_files import write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.scenarios import Scenario

PATIENT, IMPATIENT = 20.0, 0.3  # seconds for one stream
NEVER_END = {"hangs", "blocks_its_thread"}


@pytest.fixture(scope="module")
def player() -> Iterator[Replayer]:
    with Replayer(PATIENT, in_memory=True) as player:
        yield player


@pytest.fixture
def scenario(sin: Sin, tmp_path: Path) -> Scenario:
    story = sin.story()
    write(tmp_path, f"{story['protocol']}/sins/{sin.name}", **story)
    scenarios, errors = select_scenarios(tmp_path, ())
    assert errors == []
    return scenarios[0]


def _broken(player: Replayer, scenario: Scenario, target: object) -> list[str]:
    findings = ScenarioRunner(player).run(ScenarioRun(scenario, "it"), target).findings
    return [finding.check for finding in findings if finding.verdict in FAILING]


@pytest.mark.parametrize("sin", SINS, ids=[sin.name for sin in SINS])
def test_a_sin_breaks_one_check_and_builtin_none(
    sin: Sin, scenario: Scenario, player: Replayer
) -> None:
    if sin.name in NEVER_END:
        with Replayer(IMPATIENT, in_memory=True) as impatient:
            assert _broken(impatient, scenario, sin.listen) == [sin.breaks]
    else:
        assert _broken(player, scenario, sin.listen) == [sin.breaks]
    assert _broken(player, scenario, "builtin") == []


def test_every_check_has_its_sinner() -> None:
    checks = set(EXPECTATIONS) | {law.name for law in INVARIANTS}
    assert checks <= {sin.breaks for sin in SINS}
    assert {sin.breaks for sin in SINS} - checks == {"target", "holds_under:any_byte_split"}
