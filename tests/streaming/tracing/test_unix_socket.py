from __future__ import annotations

import asyncio
import json
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from harness.errors import HarnessError, InputError
from harness.streaming.tracing.manager import TraceManager
from harness.streaming.tracing.unix_socket import (
    PROTOCOL_VERSION,
    SocketTraces,
    record_of,
    trace_of,
)
from tests.streaming.databases.servers import until
from tests.streaming.tracing.samples import failed, good, unopened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

RETRY = 0.005


class Collector:
    """A real collector on a Unix socket; stores complete lines, and can close its connections."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: list[bytes] = []
        self.connections: list[asyncio.StreamWriter] = []
        self.reading = asyncio.Event()
        self.reading.set()

    async def _receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(writer)
        pipe: asyncio.ReadTransport = writer.transport  # type: ignore[assignment]  # it is both kinds
        if not self.reading.is_set():
            pipe.pause_reading()
            await self.reading.wait()
            pipe.resume_reading()
        while True:
            line = await reader.readline()
            if not line.endswith(b"\n"):
                break
            self.lines.append(line)
        writer.close()

    def close_connections(self) -> None:
        for writer in self.connections:
            writer.transport.abort()

    @property
    def steps(self) -> list[str | None]:
        return [trace_of(line).step_id for line in self.lines]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Collector]:
        server = await asyncio.start_unix_server(self._receive, self.path, limit=2**24)
        try:
            yield self
        finally:
            server.close()
            self.close_connections()
            self.reading.set()
            self.path.unlink(missing_ok=True)
            await asyncio.sleep(0.01)  # its readers end in their own tasks


@pytest.fixture
def collector(tmp_path: Path) -> Collector:
    return Collector(tmp_path / "c.sock")


def socket_to(collector: Collector, **more: float) -> SocketTraces:
    options = {"queue": 10, "flush": 1.0, "retry": RETRY, **more}
    return SocketTraces(str(collector.path), **options)  # type: ignore[arg-type]  # 10 is an int


async def test_each_trace_is_one_line_with_the_version(collector: Collector) -> None:
    traces = socket_to(collector)
    sent = [good(), failed(), unopened(error=""), good(request={"text": "two\nlines \ud800"})]
    async with collector.running():
        for trace in sent:
            await traces.create(trace)
        await traces.aclose()
        await until(lambda: len(collector.lines) == 4)
    records = [json.loads(line) for line in collector.lines]
    assert [record["protocol_version"] for record in records] == [PROTOCOL_VERSION] * 4
    assert type(records[0]["protocol_version"]) is int
    assert [record["status"] for record in records] == ["ok", "error", "error", "ok"]
    assert [trace_of(line) for line in collector.lines] == sent
    assert len(collector.connections) == 1


async def test_an_error_that_is_only_a_string_is_not_lost() -> None:
    record = json.loads(record_of(unopened()))
    assert record["status"] == "error"
    assert record["trace"]["error"]["message"] == "connection refused"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{", "not a trace record"),
        (b"[]", "not a trace record"),
        (b'{"trace":{}}', "not a trace record"),
        (b'{"protocol_version":2,"trace":{}}', "version 2; this reader supports 1"),
        (b'{"protocol_version":1,"trace":{}}', "not a trace: protocol"),
    ],
)
def test_an_invalid_record_is_refused(line: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        trace_of(line)


async def test_an_unreachable_collector_is_a_report_and_later_gets_everything(
    collector: Collector,
) -> None:
    traces = socket_to(collector)
    manager = TraceManager([traces])
    assert (await manager.create(good(step_id="1")))[0].error is None, "no attempt has failed yet"
    await until(lambda: traces._failure is not None)
    [report] = await manager.create(good(step_id="2"))
    assert report.error == (
        f"HarnessError: 2 records not sent; 0 dropped so far; {traces._failure}"
    )
    assert "FileNotFoundError" in report.error
    async with collector.running():
        await until(lambda: traces.unsent == 0)
        assert (await manager.create(good(step_id="3")))[0].error is None
        assert [report.error for report in await manager.aclose()] == [None]
        await until(lambda: len(collector.lines) == 3)
    assert collector.steps == ["1", "2", "3"]


async def test_a_closed_connection_is_opened_again(collector: Collector) -> None:
    traces = socket_to(collector)
    async with collector.running():
        await traces.create(good(step_id="1"))
        await until(lambda: collector.steps == ["1"])
        collector.close_connections()
        await asyncio.sleep(0.01)
        await traces.create(good(step_id="2"))
        await until(lambda: collector.steps == ["1", "2"])
        await traces.aclose()
    assert len(collector.connections) == 2


async def test_an_interrupted_record_is_sent_again_completely(collector: Collector) -> None:
    traces = socket_to(collector)
    huge = good(step_id="huge", request="x" * 5_000_000)  # no socket buffer holds it
    async with collector.running():
        collector.reading.clear()
        await traces.create(huge)
        await until(lambda: len(collector.connections) == 1)
        await asyncio.sleep(0.01)
        assert traces.unsent == 1, "it is not sent completely"
        collector.close_connections()
        collector.reading.set()
        await until(lambda: collector.steps == ["huge"])
        await traces.aclose()
    assert trace_of(collector.lines[0]) == huge
    assert len(collector.connections) == 2


async def test_a_collector_killed_during_a_write_is_a_report(
    collector: Collector,
) -> None:
    traces = socket_to(collector, flush=0.02)
    manager = TraceManager([traces])
    async with collector.running():
        collector.reading.clear()
        await manager.create(good(request="x" * 5_000_000))
        await until(lambda: len(collector.connections) == 1)
    await until(lambda: traces._failure is not None)
    [report] = await manager.create(good())
    assert report.error is not None
    assert "2 records not sent" in report.error
    [report] = await manager.aclose()
    assert report.error is not None
    assert "2 records not sent" in report.error
    assert "Error" in report.error.split("; ")[-1]


async def test_a_full_queue_drops_and_counts_the_oldest(collector: Collector) -> None:
    traces = socket_to(collector, queue=2, flush=0.02)
    manager = TraceManager([traces])
    errors = [(await manager.create(good(step_id=str(n))))[0].error for n in range(5)]
    assert traces.unsent + traces.dropped == 5
    assert traces.dropped >= 2
    assert f"{traces.dropped} dropped so far" in (errors[-1] or "")
    async with collector.running():
        await until(lambda: traces.unsent == 0)
        await until(lambda: len(collector.lines) == 5 - traces.dropped)
        await manager.aclose()
    assert collector.steps[-2:] == ["3", "4"], "the newest are sent"


async def test_sent_records_arrive_even_if_they_are_read_after_closing(
    collector: Collector,
) -> None:
    traces = socket_to(collector, queue=100, flush=0.02)
    async with collector.running():
        collector.reading.clear()
        for n in range(30):
            await traces.create(good(step_id=str(n), request="x" * 20_000))
        with pytest.raises(HarnessError, match="records not sent"):
            await traces.aclose()
        sent = 30 - traces.unsent
        assert 0 < sent < 30, "the kernel's buffer is full"
        collector.reading.set()
        await until(collector.connections[0].is_closing)
    assert collector.steps == [str(n) for n in range(sent)]


async def test_closing_waits_for_a_collector_no_longer_than_flush(collector: Collector) -> None:
    traces = socket_to(collector, flush=0.02)
    async with collector.running():
        collector.reading.clear()
        await traces.create(good(request="x" * 5_000_000))
        await until(lambda: len(collector.connections) == 1)
        async with asyncio.timeout(0.5):
            with pytest.raises(HarnessError, match=r"1 records not sent; 0 dropped so far$"):
                await traces.aclose()
    assert traces._sender is None or traces._sender.done()


async def test_cancelling_a_close_ends_its_task(collector: Collector) -> None:
    traces = socket_to(collector, flush=60)
    await traces.create(good())
    await until(lambda: traces._failure is not None)
    closing = asyncio.create_task(traces.aclose())
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    await until(lambda: traces._sender is not None and traces._sender.done())


async def test_a_closed_backend_refuses_traces(
    collector: Collector,
) -> None:
    traces = socket_to(collector)
    await traces.aclose()
    with pytest.raises(HarnessError, match="is closed"):
        await traces.create(good())


async def test_an_address_that_is_not_a_stream_socket_is_a_failure(tmp_path: Path) -> None:
    wrong = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    wrong.bind(str(tmp_path / "c.sock"))
    traces = SocketTraces(str(tmp_path / "c.sock"), flush=0.01, retry=RETRY)
    await traces.create(good())
    await until(lambda: traces._failure is not None)
    with pytest.raises(HarnessError, match="1 records not sent"):
        await traces.aclose()
    wrong.close()
