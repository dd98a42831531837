from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

import pytest

from harness.errors import HarnessError
from harness.streaming.tracing.backend import WriteReport
from harness.streaming.tracing.configuration import make_backends
from harness.streaming.tracing.manager import TraceManager
from tests.streaming.databases.servers import silent_server, until
from tests.streaming.tracing.samples import good, unopened

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from harness.streaming.tracing.trace import ProviderTrace


class Backend:
    """A backend that does what the test says."""

    def __init__(self, name: str, act: Callable[[], Awaitable[object]] | None = None) -> None:
        self.name, self._act = name, act
        self.stored: list[ProviderTrace] = []
        self.closed = False

    async def create(self, trace: ProviderTrace) -> None:
        if self._act is not None:
            await self._act()
        self.stored.append(trace)

    async def read(self, step_id: str) -> ProviderTrace | None:
        return next((trace for trace in self.stored if trace.step_id == step_id), None)

    async def aclose(self) -> None:
        self.closed = True
        if self._act is not None:
            await self._act()


async def _fail() -> None:
    raise OSError("disk\n full")


async def test_all_backends_get_the_trace_and_a_failure_is_a_report(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    first, broken, last = Backend("first"), Backend("broken", _fail), Backend("last")
    trace = good()
    reports = await TraceManager([first, broken, last]).create(trace)
    assert reports == (
        WriteReport("first"),
        WriteReport("broken", "OSError: disk full"),
        WriteReport("last"),
    )
    assert first.stored == last.stored == [trace]
    assert f"trace {trace.id}, broken: OSError: disk full" in caplog.text


async def test_writes_are_concurrent() -> None:
    both = asyncio.Barrier(2)
    reports = await TraceManager([Backend("one", both.wait), Backend("other", both.wait)]).create(
        good()
    )
    assert reports == (WriteReport("one"), WriteReport("other"))


async def test_a_backend_that_hangs_and_ignores_its_cancellation_is_abandoned() -> None:
    gate = asyncio.Event()

    async def stubborn() -> None:
        while not gate.is_set():
            try:
                await gate.wait()
            except asyncio.CancelledError:
                continue

    slow, quick = Backend("slow", stubborn), Backend("quick")
    manager = TraceManager([slow, quick], bound=0.02)
    start = time.perf_counter()
    reports = await manager.create(good())
    assert time.perf_counter() - start < 0.5
    assert reports == (
        WriteReport("slow", "not done within 0.02 s; cancelled"),
        WriteReport("quick"),
    )
    assert len(manager._late) == 1
    gate.set()
    await until(lambda: not manager._late)


async def test_a_hanging_postgresql_delays_the_caller_no_longer_than_the_bound(
    tmp_path: Path,
) -> None:
    async with silent_server() as port:
        backends = make_backends(
            f"sqlite:///{tmp_path}/t.db, postgresql://user@127.0.0.1:{port}/test"
        )
        manager = TraceManager(backends, bound=0.05)
        trace = good()
        stored, hung = await manager.create(trace)
        assert (stored.error, hung.error) == (None, "not done within 0.05 s; cancelled")
        assert await manager.read("step_1") == trace
        assert [report.error for report in await manager.aclose()] == [None, None]


async def test_a_cancellation_of_the_caller_cancels_the_writes() -> None:
    inside, ended = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        inside.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    task = asyncio.create_task(TraceManager([Backend("slow", wait)]).create(good()))
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await ended.wait()


async def test_reads_come_from_the_first_backend() -> None:
    first, second = Backend("first"), Backend("second")
    manager = TraceManager([first, second])
    trace = good()
    await manager.create(trace)
    second.stored.clear()
    assert await manager.read("step_1") == trace
    assert await manager.read("step_2") is None


async def test_reading_from_a_write_only_backend_raises(tmp_path: Path) -> None:
    manager = TraceManager(make_backends(f"unix://{tmp_path}/s.sock, otlp:http://127.0.0.1:1"))
    for _ in range(2):
        with pytest.raises(HarnessError, match="is write-only"):
            await manager.read("step_1")
        manager._backends = manager._backends[::-1]
    await manager.aclose()


async def test_without_backends_nothing_is_written_and_nothing_is_read() -> None:
    manager = TraceManager([])
    assert await manager.create(good()) == ()
    assert await manager.read("step_1") is None
    assert await manager.aclose() == ()


async def test_closing_closes_all_backends_and_reports_failures(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    broken, hung, fine = (
        Backend("broken", _fail),
        Backend("hung", asyncio.Event().wait),
        Backend("ok"),
    )
    reports = await TraceManager([broken, hung, fine], close_bound=0.02).aclose()
    assert [report.error for report in reports] == [
        "OSError: disk full",
        "not done within 0.02 s; cancelled",
        None,
    ]
    assert broken.closed
    assert hung.closed
    assert fine.closed
    assert "closing broken: OSError: disk full" in caplog.text


async def test_a_trace_of_a_request_that_never_opened_is_written(
    tmp_path: Path,
) -> None:
    manager = TraceManager(make_backends(f"sqlite:///{tmp_path}/t.db"))
    trace = unopened()
    await manager.create(trace)
    assert await manager.read("step_1") == trace
    await manager.aclose()
