"""What earlier campaigns wrote down, told again: a failure that is healed is said to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.checks.evaluation import ScenarioRun
from harness.engine.events import RED
from harness.engine.replayer import Replayer
from harness.engine.scenario_runner import ScenarioRunner
from harness.fuzzing.files import index
from harness.scenarios import load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def healed(out: Path, target: str, timeout: float) -> Iterator[Path]:
    """Yield the files of a folder by which a target breaks no law any more.

    Args:
        out: the folder of everything found.
        target: its address; files about others are left alone.
        timeout: seconds one stream may take.

    Raises:
        InputError: a file cannot be read as a scenario.
    """
    mine = [entry for entry in index(out) if entry["target"] == target]
    paths = [
        path for path in (out / f"{entry['scenario']}.yaml" for entry in mine) if path.exists()
    ]
    if not paths:
        return
    with Replayer(timeout) as player:
        teller = ScenarioRunner(player)
        for path in paths:
            _, findings = teller.tell(ScenarioRun(load(path, out), target))
            if not any(finding.verdict in RED for finding in findings):
                yield path
