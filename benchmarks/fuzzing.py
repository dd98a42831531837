"""A campaign against the SDK alone with the same streams, and what drawing a stream costs."""

from __future__ import annotations

import asyncio
import statistics
from time import process_time
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, given, seed, settings

from benchmarks.measuring import Row
from harness.fuzz.strategies import cases
from harness.protocols import NAMES, protocol
from harness.replay.stage import Stage
from harness.replay.transport import memory_transport
from harness.runner.fuzzing.campaign import Settings
from harness.runner.fuzzing.telling import Teller
from harness.runner.fuzzing.whole import Whole
from harness.targets.base import Call
from harness.targets.clients import Clients
from harness.targets.opening import open_stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.fuzz.cases import Case
    from harness.wire.script import Script

RATE, DRAWING = 1 / 0.7, 1.0  # the campaign's time, and a drawing's, over the SDK's alone
EXAMPLES, CASES, ROUNDS = 1500, 200, 3


def rows() -> Iterator[Row]:
    """Yield the rate of a campaign on each protocol, and the cost of drawing a stream."""
    for name in NAMES:
        ratios = [_campaign(name, number) for number in range(ROUNDS + 1)][1:]
        ratio = statistics.median(ours / alone for ours, alone, _ in ratios)
        streams = sum(count for _, _, count in ratios) // len(ratios)
        detail = f"{streams} streams of {EXAMPLES} examples; limit {RATE:.2f} is a rate of 0.7"
        yield Row(f"{name} campaign over the SDK alone", ratio, RATE, detail)
        drawing, reading = _drawing(name)
        detail = f"{drawing * 1e3:.2f} ms to draw and write one, {reading * 1e3:.2f} to read it"
        yield Row(f"{name} drawing over reading", drawing / reading, DRAWING, detail)


def _campaign(name: str, number: int) -> tuple[float, float, int]:
    """Return CPU seconds of a campaign, and of the SDK alone with the very same streams."""
    told: list[tuple[str, Script]] = []
    tell = Teller._tell  # noqa: SLF001 - where every stream passes

    def noting(self: Teller, script: Script, word: str, twin: str) -> object:
        if not twin:
            told.append((word, script))
        return tell(self, script, word, twin)

    Teller._tell = noting  # type: ignore[assignment,method-assign]  # noqa: SLF001 - the same
    try:
        started = process_time()
        whole = Whole(Settings(protocols=(name,), examples=EXAMPLES, seed=number, twins={}))
        for _ in whole.run():
            pass
        ours = process_time() - started
    finally:
        Teller._tell = tell  # type: ignore[method-assign]  # noqa: SLF001 - the same
    return ours, asyncio.run(_alone(told)), len(told)


async def _alone(told: list[tuple[str, Script]]) -> float:
    """Return the CPU seconds the SDKs need for these streams."""
    stage = Stage()
    clients = Clients(memory_transport(stage))
    await _read(clients, stage, *told[0])
    started = process_time()
    for name, script in told:
        await _read(clients, stage, name, script)
    seconds = process_time() - started
    await clients.aclose()
    return seconds


async def _read(clients: Clients, stage: Stage, name: str, script: Script) -> None:
    key = stage.put(script)
    call = Call(name, f"http://127.0.0.1/{key}", protocol(name).request)
    try:
        async for _ in await open_stream(clients, call):
            pass
    except Exception:  # noqa: BLE001, S110 - a broken stream may raise anything; its time counts
        pass
    stage.forget(key)


def _drawing(name: str) -> tuple[float, float]:
    """Return CPU seconds to draw a stream and to read it."""
    drawn: list[Case] = []

    @seed(1)
    @given(cases(name))
    def draw(case: Case) -> None:
        drawn.append(case)
        _ = case.script

    options = settings(
        max_examples=CASES,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    started = process_time()
    options(draw)()
    drawing = process_time() - started
    reading = asyncio.run(_alone([(name, case.script) for case in drawn]))
    return drawing / len(drawn), reading / len(drawn)
