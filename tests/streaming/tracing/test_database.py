"""Traces on every database."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from harness.streaming.databases.database import open_database
from harness.streaming.tracing.configuration import make_backends
from harness.streaming.tracing.database import SCHEMA, DatabaseTraces
from harness.streaming.tracing.manager import TraceManager
from tests.streaming.databases.servers import Proxy
from tests.streaming.tracing.samples import failed, good

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.streaming.databases.servers import Postgres


@pytest.fixture
async def traces(dsn: str) -> AsyncIterator[DatabaseTraces]:
    opened = DatabaseTraces(open_database(dsn, SCHEMA))
    yield opened
    await opened.aclose()


async def test_a_trace_is_read_as_it_was_written(traces: DatabaseTraces) -> None:
    odd = good(request={"nul": "\x00", "half a pair": "\ud800", "percent": "100 % :id"})
    await traces.create(odd)
    assert await traces.read("step_1") == odd


async def test_an_unknown_step_has_no_trace(traces: DatabaseTraces) -> None:
    assert await traces.read("step_1") is None


async def test_the_newest_trace_of_a_step_is_read(traces: DatabaseTraces) -> None:
    old, new = failed(), good(id="2", created_at=good().created_at + timedelta(microseconds=1))
    for trace in (new, old):
        await traces.create(trace)
    assert await traces.read("step_1") == new


async def test_a_trace_written_twice_is_stored_once(traces: DatabaseTraces) -> None:
    trace = good()
    await asyncio.gather(traces.create(trace), traces.create(trace))
    assert await traces._database.execute("SELECT count(*) AS n FROM harness_traces") == [{"n": 1}]


async def test_the_columns_are_fields_of_the_trace(
    traces: DatabaseTraces,
) -> None:
    trace = good()
    await traces.create(trace)
    [row] = await traces._database.execute("SELECT * FROM harness_traces")
    assert {name: row[name] for name in ("id", "step_id", "run_id", "org_id")} == {
        "id": trace.id,
        "step_id": "step_1",
        "run_id": "run_1",
        "org_id": "org_1",
    }
    assert row["created_at"] == trace.created_at.timestamp()


async def test_traces_outlive_the_process(traces: DatabaseTraces, dsn: str) -> None:
    await traces.create(good(id="1"))
    other = DatabaseTraces(open_database(dsn, SCHEMA))
    assert await other.read("step_1") == good(id="1")
    await other.aclose()


async def test_an_interrupted_write_is_repeated_and_nothing_is_raised(
    postgres: Postgres,
) -> None:
    async with Proxy.running() as (proxy, server):
        manager = TraceManager(make_backends(postgres.dsn(proxy.port)))
        assert (await manager.create(good(step_id="before")))[0].error is None
        proxy.cut_next = True
        trace = good(step_id="cut")
        assert (await manager.create(trace))[0].error is None
        assert not proxy.cut_next
        assert await manager.read("cut") == trace
        proxy.cut_next = True
        server.close()
        [report] = await manager.create(good(step_id="lost"))
        assert report.error is not None
        assert report.error.startswith("OperationalError: ")
        assert report.backend == f"postgresql://127.0.0.1:{proxy.port}/test"
        await manager.aclose()


async def test_a_terminated_connection_is_opened_again(postgres: Postgres) -> None:
    manager = TraceManager(make_backends(postgres.dsn()))
    await manager.create(good(step_id="before"))
    postgres.kill()
    assert (await manager.create(good(step_id="after")))[0].error is None
    await manager.aclose()
