"""Every check can fail: each broken target violates exactly the one it names, builtin none."""

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
from tests.miniatures.broken_targets import BROKEN_TARGETS, BrokenTarget
from tests.scenario_files import write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.scenarios import Scenario

LONG, SHORT = 20.0, 0.3  # seconds for one stream
NEVER_FINISH = {"hangs", "blocks_its_thread"}


@pytest.fixture(scope="module")
def replayer() -> Iterator[Replayer]:
    with Replayer(LONG, in_memory=True) as replayer:
        yield replayer


@pytest.fixture
def scenario(broken: BrokenTarget, tmp_path: Path) -> Scenario:
    data = broken.scenario_data()
    write(tmp_path, f"{data['protocol']}/broken/{broken.name}", **data)
    scenarios, errors = select_scenarios(tmp_path, ())
    assert errors == []
    return scenarios[0]


def _failing_checks(replayer: Replayer, scenario: Scenario, target: object) -> list[str]:
    findings = ScenarioRunner(replayer).run(ScenarioRun(scenario, "it"), target).findings
    return [finding.check for finding in findings if finding.verdict in FAILING]


@pytest.mark.parametrize("broken", BROKEN_TARGETS, ids=[broken.name for broken in BROKEN_TARGETS])
def test_a_broken_target_violates_one_check_and_builtin_none(
    broken: BrokenTarget, scenario: Scenario, replayer: Replayer
) -> None:
    if broken.name in NEVER_FINISH:
        with Replayer(SHORT, in_memory=True) as short:
            assert _failing_checks(short, scenario, broken.listen) == [broken.breaks]
    else:
        assert _failing_checks(replayer, scenario, broken.listen) == [broken.breaks]
    assert _failing_checks(replayer, scenario, "builtin") == []


def test_every_check_has_a_broken_target() -> None:
    checks = set(EXPECTATIONS) | {invariant.name for invariant in INVARIANTS}
    assert checks <= {broken.breaks for broken in BROKEN_TARGETS}
    assert {broken.breaks for broken in BROKEN_TARGETS} - checks == {
        "target",
        "holds_under:any_byte_split",
    }
