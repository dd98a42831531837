"""Every run invariant can fail: each broken layer violates the ones it names, ours none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.aborting.full_stack.sweep import evaluate_runs
from harness.aborting.run_invariants import RUN_INVARIANTS
from harness.checks.evaluation import ScenarioRun
from harness.targets.layers import Layers
from tests.miniatures.broken_layers import BROKEN_LAYERS, BrokenLayer
from tests.miniatures.streams import STREAMS
from tests.scenario_files import written

if TYPE_CHECKING:
    from pathlib import Path

    from harness.aborting.full_stack.sweep import Violated

# The defects of the first implementation with aborts, and the invariant that detects each.
DETECTED = {
    "D4": "run_step_is_cancelled",
    "D56": "run_is_cancelled",
    "D70": "run_events_in_order",
    "D72": "run_ends_at_once",
    "D73": "run_unregisters",
    "D83": "run_ends_at_once",
}


FEWEST = 200  # abort points: a sweep must not pass because there was nothing to abort


@pytest.mark.parametrize("layer", BROKEN_LAYERS, ids=[layer.name for layer in BROKEN_LAYERS])
def test_a_broken_layer_violates_its_invariants_and_no_other(
    layer: BrokenLayer, tmp_path: Path
) -> None:
    run = _run(tmp_path, layer.stream)
    assert violated(run, layer.layers, layer.way).keys() == layer.breaks


@pytest.mark.parametrize("stream", sorted({layer.stream for layer in BROKEN_LAYERS}))
def test_our_own_layers_violate_none(stream: str, tmp_path: Path) -> None:
    points, found = evaluate_runs(_run(tmp_path, stream), Layers())
    assert found == {}
    assert points > FEWEST


def violated(run: ScenarioRun, layers: Layers, way: str) -> dict[str, Violated]:
    return evaluate_runs(run, layers, {way})[1]


def _run(tmp_path: Path, stream: str) -> ScenarioRun:
    data = {**STREAMS[stream], "must": {"finish": {"$any": True}}}
    return ScenarioRun(written(tmp_path, "anthropic_messages/aborted/it", **data), "it")


def test_every_run_invariant_has_a_broken_layer() -> None:
    assert {invariant.name for invariant in RUN_INVARIANTS} == {
        name for layer in BROKEN_LAYERS for name in layer.breaks
    }


@pytest.mark.parametrize("defect", DETECTED)
def test_a_defect_is_caught_by_its_invariant(defect: str) -> None:
    assert DETECTED[defect] in {
        name for layer in BROKEN_LAYERS if layer.defect == defect for name in layer.breaks
    }
