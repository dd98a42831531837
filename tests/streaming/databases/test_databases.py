from __future__ import annotations

import asyncio
import sqlite3
import sys
from typing import TYPE_CHECKING

import psycopg
import pytest

from harness.errors import HarnessError, InputError, UnknownWordError
from harness.streaming.databases.database import open_database
from harness.streaming.databases.schema import Schema
from tests.streaming.databases.servers import Proxy, silent_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from harness.streaming.databases.database import Database
    from tests.streaming.databases.servers import Postgres

FIRST = Schema("notes", ("CREATE TABLE notes (id TEXT PRIMARY KEY, words TEXT)",))
SECOND = Schema("notes", (*FIRST.steps, "ALTER TABLE notes ADD COLUMN stars INTEGER"))
INSERT = "INSERT INTO notes (id, words) VALUES (:id, :words) ON CONFLICT (id) DO NOTHING"
SELECT = "SELECT words FROM notes WHERE id = :id"


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    opened = open_database(dsn, FIRST)
    yield opened
    await opened.aclose()


async def test_a_row_comes_back_by_its_column_names(database: Database) -> None:
    assert await database.execute(INSERT, {"id": "1", "words": "it's :id; -- 100 %"}) == []
    assert await database.execute(SELECT, {"id": "1"}) == [{"words": "it's :id; -- 100 %"}]


async def test_another_connection_reads_what_one_wrote(database: Database, dsn: str) -> None:
    await database.execute(INSERT, {"id": "1", "words": "stored"})
    other = open_database(dsn, FIRST)
    assert await other.execute(SELECT, {"id": "1"}) == [{"words": "stored"}]
    await other.aclose()


async def test_an_upgrade_runs_the_new_steps_only(database: Database, dsn: str) -> None:
    await database.execute(INSERT, {"id": "1", "words": "old"})
    grown = open_database(dsn, SECOND)
    assert await grown.execute("SELECT * FROM notes") == [
        {"id": "1", "words": "old", "stars": None}
    ]
    await grown.aclose()


async def test_tables_of_a_newer_program_are_refused_and_not_changed(dsn: str) -> None:
    newer, older = open_database(dsn, SECOND), open_database(dsn, FIRST)
    await newer.execute("SELECT * FROM notes")
    with pytest.raises(HarnessError, match="notes of version 2, this program supports 1"):
        await older.execute("SELECT * FROM notes")
    await newer.execute(INSERT, {"id": "1", "words": "the file is not locked"})
    assert await newer.execute("SELECT version FROM harness_schemas") == [{"version": 2}]
    await newer.aclose()
    await older.aclose()


async def test_many_programs_may_start_at_once(dsn: str) -> None:
    opened = [open_database(dsn, SECOND) for _ in range(8)]
    found = await asyncio.gather(*(one.execute("SELECT * FROM notes") for one in opened))
    assert found == [[]] * 8
    assert await opened[0].execute("SELECT version FROM harness_schemas") == [{"version": 2}]
    await asyncio.gather(*(one.aclose() for one in opened))


async def test_a_failing_statement_fails_alone(database: Database) -> None:
    with pytest.raises((sqlite3.Error, psycopg.Error), match="nowhere"):
        await database.execute("SELECT * FROM nowhere")
    assert await database.execute(SELECT, {"id": "1"}) == []


async def test_a_closed_database_refuses_statements_and_can_be_closed_again(
    database: Database,
) -> None:
    await database.execute(SELECT, {"id": "1"})
    await database.aclose()
    await database.aclose()
    with pytest.raises(HarnessError, match="is closed"):
        await database.execute(SELECT, {"id": "1"})


async def test_an_unused_database_can_be_closed(dsn: str) -> None:
    await open_database(dsn, FIRST).aclose()


async def test_a_cancelled_statement_does_not_affect_the_next_one(database: Database) -> None:
    await database.execute(SELECT, {"id": "1"})
    waiter = asyncio.create_task(database.execute(INSERT, {"id": "1", "words": "?"}))
    await asyncio.sleep(0)
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    await database.execute(INSERT, {"id": "2", "words": "complete"})
    assert await database.execute(SELECT, {"id": "2"}) == [{"words": "complete"}]


# SQLite


async def test_a_database_in_memory_is_empty_after_closing() -> None:
    for _ in range(2):
        database = open_database("sqlite:///:memory:", FIRST)
        assert await database.execute(SELECT, {"id": "1"}) == []
        await database.execute(INSERT, {"id": "1", "words": "brief"})
        await database.aclose()


async def test_a_relative_path_and_an_escaped_comma(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    database = open_database("sqlite:///a%2Cb.db", FIRST)
    await database.execute(SELECT, {"id": "1"})
    await database.aclose()
    assert (tmp_path / "a,b.db").is_file()


async def test_the_file_is_in_write_ahead_mode(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/wal.db", FIRST)
    assert await database.execute("PRAGMA journal_mode") == [{"journal_mode": "wal"}]
    await database.aclose()


async def test_a_locked_file_is_waited_for_until_the_timeout(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "busy.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    database = open_database(f"sqlite:///{tmp_path}/busy.db?timeout=0.01", FIRST)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        await database.execute(SELECT, {"id": "1"})
    other.execute("ROLLBACK")
    other.close()
    assert await database.execute(SELECT, {"id": "1"}) == []
    await database.aclose()


async def test_a_missing_folder_raises_the_error_of_the_driver(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/none/x.db", FIRST)
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        await database.execute(SELECT, {"id": "1"})
    await database.aclose()


# PostgreSQL


async def test_a_terminated_connection_is_opened_again(postgres: Postgres) -> None:
    database = open_database(postgres.dsn(), FIRST)
    await database.execute(INSERT, {"id": "1", "words": "before"})
    postgres.kill()
    assert await database.execute(SELECT, {"id": "1"}) == [{"words": "before"}]
    await database.aclose()


async def test_an_interrupted_statement_runs_again(postgres: Postgres) -> None:
    async with Proxy.running() as (proxy, _):
        database = open_database(postgres.dsn(proxy.port), FIRST)
        await database.execute(SELECT, {"id": "1"})
        proxy.cut_next = True
        await database.execute(INSERT, {"id": "1", "words": "sent twice"})
        assert not proxy.cut_next, "the connection was not cut"
        assert await database.execute(SELECT, {"id": "1"}) == [{"words": "sent twice"}]
        await database.aclose()


async def test_an_unreachable_server_raises_the_error_of_the_driver(postgres: Postgres) -> None:
    async with Proxy.running() as (proxy, server):
        database = open_database(postgres.dsn(proxy.port), FIRST)
        await database.execute(SELECT, {"id": "1"})
        server.close()
        proxy.cut_next = True
        with pytest.raises(psycopg.OperationalError, match="refused"):
            await database.execute(SELECT, {"id": "1"})
        with pytest.raises(psycopg.OperationalError, match="refused"):
            await database.execute(SELECT, {"id": "1"})
        await database.aclose()


async def test_a_failing_statement_of_an_open_connection_does_not_run_again(
    postgres: Postgres,
) -> None:
    database = open_database(postgres.dsn(), FIRST)
    await database.execute("CREATE SEQUENCE tries")
    await database.execute("SET statement_timeout = 20")
    with pytest.raises(psycopg.OperationalError, match="statement timeout"):
        await database.execute("SELECT nextval('tries'), pg_sleep(1)")
    assert await database.execute("SELECT nextval('tries') AS n") == [{"n": 2}]
    await database.aclose()


async def test_closing_does_not_wait_for_a_hanging_server() -> None:
    async with silent_server() as port:
        database = open_database(f"postgresql://user@127.0.0.1:{port}/test", FIRST)
        waiting = asyncio.create_task(database.execute(SELECT, {"id": "1"}))
        await asyncio.sleep(0.01)
        await asyncio.wait_for(database.aclose(), 1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting


# DSNs


@pytest.mark.parametrize(
    ("dsn", "message"),
    [
        ("sqlit:///x.db", "unknown database 'sqlit'; did you mean 'sqlite'"),
        ("sqlite:///x.db?timout=3", "unknown sqlite option 'timout'; did you mean 'timeout'"),
        (
            "sqlite:///x.db?timeout=soon",
            "option 'timeout' must be a positive number of seconds, not 'soon'",
        ),
        (
            "sqlite:///x.db?timeout=0",
            "option 'timeout' must be a positive number of seconds, not '0'",
        ),
        (
            "sqlite:///x.db?timeout=inf",
            "option 'timeout' must be a positive number of seconds, not 'inf'",
        ),
        ("sqlite://x.db", "names no file; write sqlite:///PATH"),
        ("sqlite:///", "names no file"),
        ("postgresql://u@h/d?conect_timeout=1", "did you mean 'connect_timeout'"),
        ("postgresql://u:50%@h/d", "cannot be read; percent-encode"),
    ],
)
def test_the_error_of_an_invalid_dsn_says_what_to_write(dsn: str, message: str) -> None:
    with pytest.raises(InputError, match=message.replace("?", r"\?")):
        open_database(dsn, FIRST)


def test_no_name_and_no_error_contains_a_password() -> None:
    database = open_database("postgres://me:s3cret@db.example:5433/app?connect_timeout=1", FIRST)
    assert database.name == "postgresql://db.example:5433/app"
    for bad in ("postgresql://me:s3cret%@h/d", "postgresql://me:s3cret@h/d?hots=x"):
        with pytest.raises(InputError) as refused:
            open_database(bad, FIRST)
        assert "s3cret" not in str(refused.value)


def test_without_psycopg_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "harness.streaming.databases.postgres", raising=False)
    with pytest.raises(InputError, match=r"llm-stream-harness\[service\]"):
        open_database("postgresql://u@h/d", FIRST)


def test_an_unknown_scheme_is_refused() -> None:
    with pytest.raises(UnknownWordError):
        open_database("mysql://u@h/d", FIRST)
