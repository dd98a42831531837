"""The store of runs, on every database."""

from __future__ import annotations

import asyncio
from itertools import count
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

import pytest

from harness.errors import InputError, UnknownWordError
from harness.streaming.serving.runs.statuses import STATUS_OF, StopReason
from harness.streaming.serving.runs.store import DatabaseRuns, Run, RunStore, make_runs
from tests.streaming.databases.servers import Proxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.streaming.databases.servers import Postgres


@pytest.fixture
async def runs(dsn: str) -> AsyncIterator[RunStore]:
    ticks = count(1_800_000_000.123456)
    store = make_runs(dsn, clock=lambda: next(ticks))
    yield store
    await store.aclose()


async def test_a_run_is_created_started_and_finished(runs: RunStore) -> None:
    run = await runs.create("agent_1", {"background": True})
    assert (run.status, run.agent_id, run.terminal) == ("created", "agent_1", False)
    started = await runs.start(run.id)
    assert (started.status, started.started_at) == ("running", 1_800_000_001.123456)
    done = await runs.finish(run.id, "end_turn", {"steps": 3})
    assert done == run.model_copy(
        update={
            "status": "completed",
            "stop_reason": "end_turn",
            "metadata": {"background": True, "steps": 3},
            "started_at": 1_800_000_001.123456,
            "finished_at": 1_800_000_002.123456,
        }
    )
    assert done.terminal
    assert await runs.get(run.id) == done


@pytest.mark.parametrize("reason", STATUS_OF)
async def test_the_status_follows_from_the_stop_reason(runs: RunStore, reason: StopReason) -> None:
    run = await runs.create()
    done = await runs.finish(run.id, reason)
    assert (done.status, done.stop_reason) == (STATUS_OF[reason], reason)


async def test_a_cancelled_run_stays_cancelled_however_its_loop_ends(runs: RunStore) -> None:
    run = await runs.create()
    await runs.start(run.id)
    cancelled = await runs.finish(run.id, "cancelled", {"by": "user"})
    assert await runs.finish(run.id, "error", {"error": "late"}) == cancelled
    assert await runs.finish(run.id, "end_turn") == cancelled
    assert await runs.start(run.id) == cancelled
    assert await runs.get(run.id) == cancelled


async def test_one_of_two_concurrent_ends_is_stored(runs: RunStore) -> None:
    run = await runs.create()
    results = await asyncio.gather(
        runs.finish(run.id, "cancelled", {"a": 1}), runs.finish(run.id, "end_turn", {"b": 2})
    )
    assert results[0] == results[1] == await runs.get(run.id)
    assert results[0].metadata in ({"a": 1}, {"b": 2})


async def test_a_run_that_finished_before_it_started_is_not_started(runs: RunStore) -> None:
    run = await runs.create()
    await runs.finish(run.id, "cancelled")
    assert (await runs.start(run.id)).started_at is None


async def test_starting_twice_does_not_change_the_start_time(runs: RunStore) -> None:
    run = await runs.create()
    assert await runs.start(run.id) == await runs.start(run.id)


async def test_an_unknown_run_is_an_error(runs: RunStore) -> None:
    assert await runs.get("run_0") is None
    for act in (runs.start("run_0"), runs.finish("run_0", "end_turn")):
        with pytest.raises(InputError, match="no run 'run_0'"):
            await act


async def test_an_unknown_stop_reason_changes_nothing(runs: RunStore) -> None:
    run = await runs.create()
    with pytest.raises(UnknownWordError):
        await runs.finish(run.id, cast("StopReason", "done"))
    assert await runs.get(run.id) == run


async def test_an_id_can_be_used_once(runs: RunStore) -> None:
    run = await runs.create("agent_1", run_id="run_1")
    with pytest.raises(InputError, match="a run 'run_1' exists already"):
        await runs.create("agent_2", run_id="run_1")
    assert await runs.get("run_1") == run


async def test_the_runs_of_an_agent_newest_first(runs: RunStore) -> None:
    made = [await runs.create(agent) for agent in ("a", "b", "a", None, "a")]
    assert await runs.by_agent("a") == [made[4], made[2], made[0]]
    assert await runs.by_agent("a", limit=1) == [made[4]]
    assert await runs.by_agent("unknown") == []


async def test_metadata_is_any_json_and_any_mapping(runs: RunStore) -> None:
    odd = MappingProxyType({"words": "\x00 \ud83d\ude00 'quoted' :id", "list": (1, None)})
    run = await runs.create(metadata=odd)
    assert run.metadata["list"] == [1, None]
    assert await runs.get(run.id) == run


async def test_a_run_outlives_the_process_that_made_it(dsn: str) -> None:
    first, second = make_runs(dsn), make_runs(dsn)
    run = await first.create("agent_1")
    await first.aclose()
    assert await second.get(run.id) == run
    await second.aclose()


async def test_the_default_is_a_file_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = make_runs()
    await store.create()
    await store.aclose()
    assert (tmp_path / "runs.sqlite3").is_file()


async def test_creating_a_run_over_a_broken_connection_makes_one_run(postgres: Postgres) -> None:
    async with Proxy.running() as (proxy, _):
        store = make_runs(postgres.dsn(proxy.port))
        await store.by_agent("a")
        proxy.cut_next = True
        run = await store.create("a")
        assert not proxy.cut_next
        assert await store.by_agent("a") == [run]
        await store.aclose()


def test_a_run_round_trips_through_json() -> None:
    run = Run(id="run_1", created_at=1.5, metadata={"a": [1]})
    assert Run.model_validate_json(run.model_dump_json()) == run


def test_database_runs_are_a_run_store(tmp_path: Path) -> None:
    store: RunStore = make_runs(f"sqlite:///{tmp_path}/x.db")
    assert isinstance(store, DatabaseRuns)
