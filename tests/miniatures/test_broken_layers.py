"""Every law of a run can fail: each miniature breaks the ones it names and no other, ours none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.aborting.full_stack.sweep import evaluate_runs
from harness.aborting.run_invariants import RUN_INVARIANTS
from harness.checks.evaluation import ScenarioRun
from harness.targets.layers import Layers
from tests.miniatures.broken_layers import SINNERS, Sinner
from tests.miniatures.streams import STREAMS
from tests.scenario_files import written

if TYPE_CHECKING:
    from pathlib import Path

    from harness.aborting.full_stack.sweep import Violated

# What the first implementation did wrong about leaving, and the law that catches it.
CAUGHT = {
    "D4": "run_step_is_cancelled",
    "D56": "run_is_cancelled",
    "D70": "run_events_in_order",
    "D72": "run_ends_at_once",
    "D73": "run_unregisters",
    "D83": "run_ends_at_once",
}


FEWEST = 200  # cut points: a sweep must not pass because there was nothing to leave


@pytest.mark.parametrize("sinner", SINNERS, ids=[sinner.name for sinner in SINNERS])
def test_a_sin_breaks_its_laws_and_no_other(sinner: Sinner, tmp_path: Path) -> None:
    pair = _pair(tmp_path, sinner.stream)
    assert broken(pair, sinner.layers, sinner.way).keys() == sinner.breaks


@pytest.mark.parametrize("stream", sorted({sinner.stream for sinner in SINNERS}))
def test_our_own_layers_break_none(stream: str, tmp_path: Path) -> None:
    points, wrong = evaluate_runs(_pair(tmp_path, stream), Layers())
    assert wrong == {}
    assert points > FEWEST


def broken(pair: ScenarioRun, layers: Layers, way: str) -> dict[str, Violated]:
    return evaluate_runs(pair, layers, {way})[1]


def _pair(tmp_path: Path, stream: str) -> ScenarioRun:
    story = {**STREAMS[stream], "must": {"finish": {"$any": True}}}
    return ScenarioRun(written(tmp_path, "anthropic_messages/leaving/it", **story), "it")


def test_every_law_of_a_run_has_its_sinner() -> None:
    assert {law.name for law in RUN_INVARIANTS} == {
        law for sinner in SINNERS for law in sinner.breaks
    }


@pytest.mark.parametrize("defect", CAUGHT)
def test_a_defect_is_caught_by_the_law_that_says_so(defect: str) -> None:
    assert CAUGHT[defect] in {
        law for sinner in SINNERS if sinner.defect == defect for law in sinner.breaks
    }
