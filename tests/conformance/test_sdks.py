"""Snapshots of what the SDKs themselves deliver: per topic a table of what differs from builtin."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.engine.scenario_runner import call_for
from harness.reports.snapshot import differing, table_text
from harness.scenarios import discover, load

if TYPE_CHECKING:
    from harness.engine.replayer import Replayer
    from harness.scenarios import Scenario

ROOT = Path(__file__).parent.parent.parent / "scenarios"
TOPICS = {
    topic: list(paths)
    for topic, paths in groupby(
        discover(ROOT), key=lambda path: path.parent.relative_to(ROOT).as_posix()
    )
}


@pytest.mark.parametrize("target", ["sdk", "sdk-helper"])
@pytest.mark.parametrize("topic", TOPICS)
def test_differences_from_builtin(
    topic: str, target: str, harness_memory_replayer: Replayer, table_snapshot: Any
) -> None:
    rows, agreeing = [], 0
    for path in TOPICS[topic]:
        scenario = load(path, ROOT)
        if scenario.consumer.ways:
            continue  # its stream is that of another scenario; how targets are aborted is checked
        reference, other = (
            outcome(scenario, name, harness_memory_replayer) for name in ("builtin", target)
        )
        found = differing(path.stem, reference, other)
        rows += found
        agreeing += not found
    table = table_text(target, agreeing, rows)
    assert table == table_snapshot(name=f"{target}/{topic}")


def outcome(scenario: Scenario, target: str, replayer: Replayer) -> Any:
    return replayer.replay(target, call_for(scenario), scenario.script()).outcome
