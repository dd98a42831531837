"""The main job as a user meets it: all scenarios over loopback, recordings, and ``--help``."""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.measuring import ROUNDS, Row
from harness.engine.events import RunFinished
from harness.engine.replayer import Replayer
from harness.engine.results import ScenarioResult
from harness.engine.run import Settings, run
from harness.engine.selection import select_scenarios
from harness.targets.base import Call
from harness.wire.script import RECORDED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.scenarios import Scenario

SCENARIO_LIMIT, HELP_LIMIT = 10.0, 0.25  # milliseconds per scenario, seconds
RECORDING_LIMIT = 1.0  # a recording in its own reads, over the same events one by one


def rows() -> Iterator[Row]:
    """Yield milliseconds per scenario, the cost of recordings, and seconds to ``--help``."""
    every, _ = select_scenarios(Path(__file__).parent.parent / "scenarios", ())
    # A scenario that is aborted at every chunk replays its stream hundreds of times.
    scenarios = [scenario for scenario in every if not scenario.consumer.ways]
    _run(scenarios[:1])  # imports what the SDKs import lazily
    times = [_run(scenarios) for _ in range(5)]
    each = statistics.median(times)
    detail = f"{len(scenarios)} scenarios into builtin over loopback, their variations included"
    yield Row("milliseconds per scenario", each, SCENARIO_LIMIT, detail)
    yield _recordings([one for one in scenarios if one.origin == "recorded"])
    helps = [_help() for _ in range(ROUNDS)]
    yield Row("seconds to harness --help", statistics.median(helps), HELP_LIMIT, "a new process")


def _run(scenarios: Sequence[Scenario]) -> float:
    """Return wall milliseconds per scenario of one run."""
    finished = 0
    started = perf_counter()
    for event in run(scenarios, Settings()):
        finished += isinstance(event, ScenarioResult)
        if isinstance(event, RunFinished):
            break
    return 1000 * (perf_counter() - started) / max(finished, 1)


def _recordings(scenarios: Sequence[Scenario]) -> Row:
    """Replay each recording in the reads of its cassette, and with one event per read."""
    pairs = []
    with Replayer(timeout=10) as replayer:
        for _ in range(ROUNDS + 1):
            own = sum(_replay(replayer, one, RECORDED) for one in scenarios)
            pairs.append((own, sum(_replay(replayer, one, "event") for one in scenarios)))
    ratio = statistics.median(own / other for own, other in pairs[1:])
    each = 1000 * statistics.median(own for own, _ in pairs[1:]) / len(scenarios)
    detail = f"{each:.1f} ms each, {len(scenarios)} recordings of real engines, once"
    return Row("a recording over a scenario of its events", ratio, RECORDING_LIMIT, detail)


def _replay(replayer: Replayer, scenario: Scenario, cut: str) -> float:
    """Return the seconds in which one recording is replayed."""
    request = Call(scenario.protocol, request=scenario.call_arguments())
    script = scenario.script()._replace(cut=cut)
    started = perf_counter()
    replayer.replay("builtin", request, script)
    return perf_counter() - started


def _help() -> float:
    started = perf_counter()
    subprocess.run(
        [sys.executable, "-m", "harness", "--help"], check=True, stdout=subprocess.DEVNULL
    )
    return perf_counter() - started
