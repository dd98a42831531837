"""A campaign against the SDK alone with the same streams, and what drawing a stream costs."""

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
from harness.fuzzing.campaign import Settings
from harness.fuzzing.distributed import DistributedCampaign
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

    from harness.generation.cases import Case
    from harness.wire.script import Script

RATE, DRAWING = 1 / 0.7, 1.0  # the campaign's time, and a drawing's, over the SDK's alone
GROWTH = 1.8  # times as fast with two workers
EXAMPLES, CASES, ROUNDS = 1500, 200, 3
SHARED = 10_000  # examples that workers share
AT_A_TIME = 10  # streams that the SDK reads alone before the campaign goes on


def rows() -> Iterator[Row]:
    """Yield the rate of a campaign, what drawing a stream costs, and what a second worker gives."""
    every: list[tuple[float, float, int]] = []
    for name in NAMES:
        rounds = [_campaign(name, number) for number in range(ROUNDS + 1)][1:]
        every += rounds
        yield _rate(name, rounds)
        drawing, reading = _drawing(name)
        detail = f"{drawing * 1e3:.2f} ms to draw and write one, {reading * 1e3:.2f} to read it"
        yield Row(f"{name} drawing over reading", drawing / reading, DRAWING, detail)
    yield _rate("every wire:", [_sum(every)])
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
    tell = StreamRunner._tell  # noqa: SLF001 - where every stream passes
    alone = Alone()

    def noting(self: StreamRunner, script: Script, word: str, twin: str) -> object:
        told = tell(self, script, word, twin)
        if not twin:
            alone.add(word, script)
        return told

    StreamRunner._tell = noting  # type: ignore[assignment,method-assign]  # noqa: SLF001 - the same
    try:
        started = process_time()
        whole = DistributedCampaign(
            Settings(protocols=(name,), examples=EXAMPLES, seed=number, twins={})
        )
        for _ in whole.run():
            pass
        ours = process_time() - started - alone.taken
    finally:
        StreamRunner._tell = tell  # type: ignore[method-assign]  # noqa: SLF001 - the same
        alone.close()
    return ours, alone.seconds, alone.streams


class Alone:
    """Has the SDKs read streams with nothing above them, a few at a time.

    In between, not afterwards: a machine whose speed changes changes it for both.
    """

    def __init__(self) -> None:
        self.seconds = self.taken = 0.0  # CPU seconds of the SDKs; and of all that is done here
        self.streams = 0
        self._waiting: list[tuple[str, Script]] = []
        self._loop = asyncio.new_event_loop()
        self._stage = ResponseRegistry()
        self._clients = SdkClients(memory_transport(self._stage))

    def add(self, name: str, script: Script) -> None:
        """Take a stream to read."""
        started = process_time()
        self._waiting.append((name, script))
        if len(self._waiting) == AT_A_TIME:
            self.read()
        self.taken += process_time() - started

    def read(self) -> None:
        """Read what waits."""
        self._loop.run_until_complete(self._read())
        self._waiting.clear()

    def close(self) -> None:
        """Read the rest and close the clients."""
        self.read()
        self._loop.run_until_complete(self._clients.aclose())
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    async def _read(self) -> None:
        with warnings.catch_warnings():  # the SDKs warn of odd streams, as they do in a campaign
            warnings.simplefilter("ignore")
            started = process_time()
            for name, script in self._waiting:
                await _read(self._clients, self._stage, name, script)
            self.seconds += process_time() - started
        self.streams += len(self._waiting)


async def _read(clients: SdkClients, stage: ResponseRegistry, name: str, script: Script) -> None:
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
        backend=BACKEND,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    drawing = options(draw)
    drawing()  # a first time, for whatever is made once
    rounds = [_drawn_and_read(name, drawing, drawn) for _ in range(ROUNDS)]
    return statistics.median(one for one, _ in rounds), statistics.median(two for _, two in rounds)


def _drawn_and_read(
    name: str, drawing: Callable[[], object], drawn: list[Case]
) -> tuple[float, float]:
    drawn.clear()
    started = process_time()
    drawing()
    seconds = process_time() - started
    alone = Alone()
    for case in drawn:
        alone.add(name, case.script)
    alone.close()
    return seconds / len(drawn), alone.seconds / len(drawn)


def _two_workers() -> Row:
    """Have two processes do what one does, over all wires, beside what the machine itself gives."""
    one, two = (_wall(count) for count in (1, 2))
    ceiling = 2 * _spun(1) / _spun(2)
    detail = f"{one / two:.2f} times as fast; two bare loops side by side: {ceiling:.2f}"
    return Row("two workers over one", two / one, 1 / GROWTH, detail)


def _wall(workers: int) -> float:
    """Return the seconds of a campaign in processes of its own, their start included."""
    started = perf_counter()
    hands = partial(processes, count=workers)
    for _ in DistributedCampaign(Settings(examples=SHARED, seed=1), workers).run(hands):
        pass
    return perf_counter() - started


def _spun(count: int) -> float:
    """Return the seconds in which so many processes each count to the same number."""
    code = "n = 0\nfor i in range(20_000_000): n += i"
    started = perf_counter()
    running = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(count)]  # noqa: S603 - our own
    for process in running:
        process.wait()
    return perf_counter() - started
