"""One cut, at every offset around a line end or inside a character: nothing may change (TR-001)."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.engine.replayer import Replayer
from harness.protocols import NAMES
from harness.scenarios import load
from harness.targets.base import Call
from harness.wire import cut_plans

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.wire.script import Script

ROOT = Path(__file__).parent.parent.parent / "scenarios"
IDS = [f"{name}/baseline/{scenario_id}" for name in NAMES for scenario_id in ("text", "tools")]


def single_cuts(script: Script) -> Iterator[str]:
    """Yield a plan of one cut at each place where ``edges`` cuts."""
    sizes = (len(read) for read in cut_plans.cut(script.frames, "edges"))
    return (f"offset:{at}" for at in accumulate(sizes) if at < len(script.body))


@pytest.mark.parametrize("scenario_id", IDS)
def test_no_single_cut_changes_the_outcome(scenario_id: str) -> None:
    scenario = load(ROOT / f"{scenario_id}.yaml", ROOT)
    script = scenario.script()
    ask = Call(scenario.protocol, request=scenario.call_arguments())
    with Replayer(10.0, in_memory=True) as replayer:
        whole = replayer.replay("builtin", ask, script._replace(cut="whole")).outcome
        assert whole.ending == "complete"
        for plan in ("byte", *single_cuts(script)):
            cut = replayer.replay("builtin", ask, script._replace(cut=plan)).outcome
            assert cut == whole, plan
