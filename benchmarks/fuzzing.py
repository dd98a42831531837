"""A campaign compared with the SDKs alone on the same streams, and the cost of drawing a stream."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import warnings
from functools import partial
from time import perf_counter, process_time
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, given, seed, settings

from benchmarks.measuring import Row
from harness.engine.workers import processes
from harness.fuzzing.distributed import DistributedCampaign
from harness.fuzzing.settings import Settings
from harness.fuzzing.stream_runner import StreamRunner
from harness.generation.search import BACKEND
from harness.generation.strategies import cases
from harness.playback.response_registry import ResponseRegistry
from harness.playback.transport import memory_transport
from harness.protocols import NAMES, protocol
from harness.sdks import open_stream
from harness.sdks.clients import SdkClients
from harness.targets.base import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.engine.results import TargetResult
    from harness.generation.cases import Case
    from harness.wire.script import Script

RATE, DRAWING = 1 / 0.7, 1.0  # time of the campaign, and of drawing, over the SDK's alone
SPEEDUP = 1.8  # with two workers
EXAMPLES, CASES, ROUNDS = 1500, 200, 3
WORKER_EXAMPLES = 10_000  # that two workers divide
SDK_BATCH = 10  # streams that the SDK reads before the campaign continues


def rows() -> Iterator[Row]:
    """Yield the rate of a campaign, the cost of drawing, and the speedup of a second worker."""
    every: list[tuple[float, float, int]] = []
    for name in NAMES:
        rounds = [_campaign(name, number) for number in range(ROUNDS + 1)][1:]
        every += rounds
        yield _rate(name, rounds)
        drawing, reading = _drawing(name)
        detail = f"{drawing * 1e3:.2f} ms to draw and write one, {reading * 1e3:.2f} to read it"
        yield Row(f"{name} drawing over reading", drawing / reading, DRAWING, detail)
    yield _rate("all protocols:", [_sum(every)])
    yield _two_workers()


def _sum(rounds: list[tuple[float, float, int]]) -> tuple[float, float, int]:
    ours, alone, streams = zip(*rounds, strict=True)
    return sum(ours), sum(alone), sum(streams)


def _rate(name: str, rounds: list[tuple[float, float, int]]) -> Row:
    ratio = statistics.median(ours / alone for ours, alone, _ in rounds)
    streams = sum(count for _, _, count in rounds) // len(rounds)
    detail = f"a rate of {1 / ratio:.2f}; limit 0.70; {streams} streams"
    return Row(f"{name} campaign over the SDK alone", ratio, RATE, detail)


def _campaign(name: str, number: int) -> tuple[float, float, int]:
    """Return CPU seconds of a campaign, and of the SDK alone with the very same streams."""
    replay = StreamRunner.replay  # every stream of a campaign passes here
    alone = SdkAlone()

    def noting(
        self: StreamRunner, script: Script, protocol_name: str, variant: str
    ) -> TargetResult:
        result = replay(self, script, protocol_name, variant)
        if not variant:
            alone.add(protocol_name, script)
        return result

    StreamRunner.replay = noting  # type: ignore[method-assign]
    try:
        started = process_time()
        settings = Settings(protocols=(name,), examples=EXAMPLES, seed=number, variants={})
        for _ in DistributedCampaign(settings).run():
            pass
        ours = process_time() - started - alone.taken
    finally:
        StreamRunner.replay = replay  # type: ignore[method-assign]
        alone.close()
    return ours, alone.seconds, alone.streams


class SdkAlone:
    """Has the SDKs read streams with nothing above them, a few at a time.

    It does so during the campaign, not afterwards: a change of the machine's speed affects both.
    """

    def __init__(self) -> None:
        self.seconds = self.taken = 0.0  # CPU seconds of the SDKs, and of this object
        self.streams = 0
        self._pending: list[tuple[str, Script]] = []
        self._loop = asyncio.new_event_loop()
        self._registry = ResponseRegistry()
        self._clients = SdkClients(memory_transport(self._registry))

    def add(self, name: str, script: Script) -> None:
        """Add a stream to read."""
        started = process_time()
        self._pending.append((name, script))
        if len(self._pending) == SDK_BATCH:
            self.read()
        self.taken += process_time() - started

    def read(self) -> None:
        """Read the pending streams."""
        self._loop.run_until_complete(self._read())
        self._pending.clear()

    def close(self) -> None:
        """Read the rest and close the clients."""
        self.read()
        self._loop.run_until_complete(self._clients.aclose())
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    async def _read(self) -> None:
        with warnings.catch_warnings():  # the SDKs warn about odd streams, as in a campaign
            warnings.simplefilter("ignore")
            started = process_time()
            for name, script in self._pending:
                await _read(self._clients, self._registry, name, script)
            self.seconds += process_time() - started
        self.streams += len(self._pending)


async def _read(clients: SdkClients, registry: ResponseRegistry, name: str, script: Script) -> None:
    key = registry.register(script)
    call = Call(name, f"http://127.0.0.1/{key}", protocol(name).request)
    try:
        async for _ in await open_stream(clients, call):
            pass
    except Exception:  # noqa: BLE001, S110 - a corrupted stream may raise anything; its time counts
        pass
    registry.unregister(key)


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
        backend=BACKEND,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    drawing = options(draw)
    drawing()  # once before, for what is created once
    rounds = [_drawn_and_read(name, drawing, drawn) for _ in range(ROUNDS)]
    return statistics.median(one for one, _ in rounds), statistics.median(two for _, two in rounds)


def _drawn_and_read(
    name: str, drawing: Callable[[], object], drawn: list[Case]
) -> tuple[float, float]:
    drawn.clear()
    started = process_time()
    drawing()
    seconds = process_time() - started
    alone = SdkAlone()
    for case in drawn:
        alone.add(name, case.script)
    alone.close()
    return seconds / len(drawn), alone.seconds / len(drawn)


def _two_workers() -> Row:
    """Compare two workers with one, over all protocols, beside what the machine itself allows."""
    one, two = (_wall(count) for count in (1, 2))
    ceiling = 2 * _spun(1) / _spun(2)
    detail = f"{one / two:.2f} times as fast; two bare loops at once: {ceiling:.2f}"
    return Row("two workers over one", two / one, 1 / SPEEDUP, detail)


def _wall(workers: int) -> float:
    """Return the seconds of a campaign in worker processes, their start included."""
    started = perf_counter()
    pool = partial(processes, count=workers)
    campaign = DistributedCampaign(Settings(examples=WORKER_EXAMPLES, seed=1), workers)
    for _ in campaign.run(pool):
        pass
    return perf_counter() - started


def _spun(count: int) -> float:
    """Return the seconds in which ``count`` processes each sum the same numbers."""
    code = "n = 0\nfor i in range(20_000_000): n += i"
    started = perf_counter()
    running = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(count)]  # noqa: S603 - our own code
    for process in running:
        process.wait()
    return perf_counter() - started
