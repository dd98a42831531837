"""Every check can fail: each miniature breaks exactly the one it names, and builtin breaks none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.checks.expectations import EXPECTATIONS
from harness.checks.judging import Pair
from harness.checks.laws import LAWS
from harness.runner.happenings import RED
from harness.runner.plan import gather
from harness.runner.player import Player
from harness.runner.teller import Teller
from tests.miniatures.sins import SINS, Sin
from tests.stories import write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.scenarios import Scenario

PATIENT, IMPATIENT = 20.0, 0.3  # seconds for one stream
NEVER_END = {"hangs", "blocks_its_thread"}


@pytest.fixture(scope="module")
def player() -> Iterator[Player]:
    with Player(PATIENT, in_memory=True) as player:
        yield player


@pytest.fixture
def scenario(sin: Sin, tmp_path: Path) -> Scenario:
    story = sin.story()
    write(tmp_path, f"{story['protocol']}/sins/{sin.name}", **story)
    scenarios, errors = gather(tmp_path, ())
    assert errors == []
    return scenarios[0]


def _broken(player: Player, scenario: Scenario, target: object) -> list[str]:
    _, findings = Teller(player).tell(Pair(scenario, "it"), target)
    return [finding.check for finding in findings if finding.verdict in RED]


@pytest.mark.parametrize("sin", SINS, ids=[sin.name for sin in SINS])
def test_a_sin_breaks_one_check_and_builtin_none(
    sin: Sin, scenario: Scenario, player: Player
) -> None:
    if sin.name in NEVER_END:
        with Player(IMPATIENT, in_memory=True) as impatient:
            assert _broken(impatient, scenario, sin.listen) == [sin.breaks]
    else:
        assert _broken(player, scenario, sin.listen) == [sin.breaks]
    assert _broken(player, scenario, "builtin") == []


def test_every_check_has_its_sinner() -> None:
    checks = set(EXPECTATIONS) | {law.name for law in LAWS}
    assert checks <= {sin.breaks for sin in SINS}
    assert {sin.breaks for sin in SINS} - checks == {"target", "holds_under:any_byte_split"}
