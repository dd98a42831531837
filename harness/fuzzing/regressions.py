"""Replay of the scenarios that earlier campaigns wrote, to find those that no longer fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.checks.evaluation import ScenarioRun
from harness.engine.replayer import Replayer
from harness.engine.results import FAILING
from harness.engine.scenario_runner import ScenarioRunner
from harness.fuzzing.files import read_index
from harness.scenarios import load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def fixed_scenarios(out: Path, target: str, timeout: float) -> Iterator[Path]:
    """Yield the scenario files that a target passes by now.

    Args:
        out: the folder that campaigns write to.
        target: its address; the scenarios of other targets are skipped.
        timeout: seconds that one stream may take.

    Raises:
        InputError: a file is not a valid scenario.
    """
    entries = [entry for entry in read_index(out) if entry["target"] == target]
    paths = [out / f"{entry['scenario']}.yaml" for entry in entries]
    paths = [path for path in paths if path.exists()]
    if not paths:
        return
    with Replayer(timeout) as replayer:
        runner = ScenarioRunner(replayer)
        for path in paths:
            findings = runner.run(ScenarioRun(load(path, out), target)).findings
            if not any(finding.verdict in FAILING for finding in findings):
                yield path
