"""The main job as a user meets it: all scenarios over loopback, cassettes, and ``--help``."""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.measuring import ROUNDS, Row
from harness.engine.events import RunFinished, ScenarioFinished
from harness.engine.replayer import Replayer, TargetRequest
from harness.engine.run import Settings, run
from harness.engine.selection import select_scenarios
from harness.wire.script import RECORDED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.scenarios import Scenario

SCENARIO_LIMIT, HELP_LIMIT = 10.0, 0.25  # milliseconds a scenario, seconds
PLAYING = 1.0  # a recording in its own reads, over the same events one by one


def rows() -> Iterator[Row]:
    """Yield milliseconds a scenario, server included, and seconds to ``harness --help``."""
    every, _ = select_scenarios(Path(__file__).parent.parent / "scenarios", ())
    # A scenario that is left at every point tells its story hundreds of times.
    scenarios = [scenario for scenario in every if not scenario.consumer.ways]
    _told(scenarios[:1])  # imports the SDKs' lazy parts
    times = [_told(scenarios) for _ in range(5)]
    each = statistics.median(times)
    detail = f"{len(scenarios)} scenarios into builtin over loopback, their variations included"
    yield Row("milliseconds a scenario", each, SCENARIO_LIMIT, detail)
    yield _recorded([one for one in scenarios if one.origin == "recorded"])
    helps = [_help() for _ in range(ROUNDS)]
    yield Row("seconds to harness --help", statistics.median(helps), HELP_LIMIT, "a new process")


def _told(scenarios: Sequence[Scenario]) -> float:
    """Return wall milliseconds a scenario of one run."""
    judged = 0
    started = perf_counter()
    for happening in run(scenarios, Settings()):
        judged += isinstance(happening, ScenarioFinished)
        if isinstance(happening, RunFinished):
            break
    return 1000 * (perf_counter() - started) / max(judged, 1)


def _recorded(scenarios: Sequence[Scenario]) -> Row:
    """Play each recording as its cassette holds it, and as a scenario would say it."""
    pairs = []
    with Replayer(timeout=10) as player:
        for _ in range(ROUNDS + 1):
            own = sum(_played(player, one, RECORDED) for one in scenarios)
            pairs.append((own, sum(_played(player, one, "event") for one in scenarios)))
    ratio = statistics.median(own / other for own, other in pairs[1:])
    each = 1000 * statistics.median(own for own, _ in pairs[1:]) / len(scenarios)
    detail = f"{each:.1f} ms each, {len(scenarios)} recordings of real engines, once"
    return Row("a cassette over a scenario of its events", ratio, PLAYING, detail)


def _played(player: Replayer, scenario: Scenario, cut: str) -> float:
    """Return the seconds it takes to play one recording."""
    ask = TargetRequest(scenario.protocol, scenario.ask())
    script = scenario.script()._replace(cut=cut)
    started = perf_counter()
    player.play("builtin", ask, script)
    return perf_counter() - started


def _help() -> float:
    started = perf_counter()
    subprocess.run(
        [sys.executable, "-m", "harness", "--help"], check=True, stdout=subprocess.DEVNULL
    )
    return perf_counter() - started
