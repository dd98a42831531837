"""The main job as a user meets it: all scenarios over loopback, and the time to ``--help``."""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.measuring import ROUNDS, Row
from harness.runner.happenings import Judged, RunFinished
from harness.runner.plan import gather
from harness.runner.run import Settings, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.scenarios import Scenario

SCENARIO_LIMIT, HELP_LIMIT = 10.0, 0.25  # milliseconds a scenario, seconds


def rows() -> Iterator[Row]:
    """Yield milliseconds a scenario, server included, and seconds to ``harness --help``."""
    every, _ = gather(Path(__file__).parent.parent / "scenarios", ())
    # A scenario that is left at every point tells its story hundreds of times.
    scenarios = [scenario for scenario in every if not scenario.consumer.ways]
    _told(scenarios[:1])  # imports the SDKs' lazy parts
    times = [_told(scenarios) for _ in range(5)]
    each = statistics.median(times)
    detail = f"{len(scenarios)} scenarios into builtin over loopback, their variations included"
    yield Row("milliseconds a scenario", each, SCENARIO_LIMIT, detail)
    helps = [_help() for _ in range(ROUNDS)]
    yield Row("seconds to harness --help", statistics.median(helps), HELP_LIMIT, "a new process")


def _told(scenarios: Sequence[Scenario]) -> float:
    """Return wall milliseconds a scenario of one run."""
    judged = 0
    started = perf_counter()
    for happening in run(scenarios, Settings()):
        judged += isinstance(happening, Judged)
        if isinstance(happening, RunFinished):
            break
    return 1000 * (perf_counter() - started) / max(judged, 1)


def _help() -> float:
    started = perf_counter()
    subprocess.run(
        [sys.executable, "-m", "harness", "--help"], check=True, stdout=subprocess.DEVNULL
    )
    return perf_counter() - started
