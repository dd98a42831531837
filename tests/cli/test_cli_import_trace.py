"""``harness import trace:…``: a stored trace of a failure becomes a scenario."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from harness.errors import LLMOverloadedError
from harness.protocols import protocol
from harness.streaming.adapter import StreamAdapter
from harness.streaming.tracing.configuration import make_backends
from harness.streaming.tracing.manager import TraceManager
from harness.wire.script import Script
from tests.streaming.adapter_env import AdapterEnv, context
from tests.streaming.databases.servers import dsn, postgres
from tests.streaming.tracing.samples import good, unopened

if TYPE_CHECKING:
    from harness.streaming.tracing.trace import ProviderTrace
    from tests.streaming.databases.servers import Postgres

__all__ = ["dsn", "postgres"]

# Half an answer, then the error that Anthropic sends inside an HTTP 200.
INCIDENT: tuple[tuple[str, Any], ...] = (
    ("message_start", {"message": {"id": "msg_7", "type": "message", "role": "assistant",
        "model": "claude-7", "content": [], "stop_reason": None, "stop_sequence": None,
        "usage": {"input_tokens": 12, "output_tokens": 1}}}),
    ("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}),
    ("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": "So far so "}}),
    ("error", {"error": {"type": "overloaded_error", "message": "Overloaded"}}),
)  # fmt: skip
SCENARIO = Path("scenarios/anthropic_messages/incidents/step.yaml")


def incident() -> Script:
    frames = [
        f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n".encode()
        for name, data in INCIDENT
    ]
    return Script(tuple(frames))


def store_failure(dsn: str) -> None:
    """A step that fails, through the real SDK, the adapter and the trace manager."""

    async def fail() -> None:
        product = AdapterEnv()
        traces = TraceManager(make_backends(dsn))
        product.adapter = StreamAdapter(product.open, traces)
        product.respond_with(incident())
        with pytest.raises(LLMOverloadedError):
            async for _ in product.adapter.stream(
                context("anthropic_messages"), protocol("anthropic_messages").request
            ):
                pass
        await product.adapter.flush()
        await traces.aclose()
        await product.aclose()

    asyncio.run(fail())


def store(*traces: ProviderTrace, dsn: str = "sqlite:///traces.db") -> None:
    async def write() -> None:
        manager = TraceManager(make_backends(dsn))
        for trace in traces:
            assert [report.error for report in await manager.create(trace)] == [None]
        await manager.aclose()

    asyncio.run(write())


def test_an_incident_becomes_a_regression_test(harness: Any, dsn: str) -> None:
    store_failure(dsn)
    result = harness("import", f"trace:{dsn}#step")
    assert (result.code, result.out, result.err) == (0, f"{SCENARIO}\n", "1 imported\n")
    assert harness("list", "incidents").code == 0
    ran = harness("run", "anthropic_messages/incidents/step", "--json")
    findings = {line["check"]: line for line in ran.lines()[:-1]}
    assert ran.code == 0
    assert findings["text"]["actual"] == "So far so "
    assert findings["ending"]["actual"] == "failed"
    assert findings["error"]["actual"] == {"kind": "overloaded"}
    assert {line["verdict"] for line in findings.values()} == {"pass"}


def test_a_target_with_the_old_defect_violates_the_new_requirements(harness: Any) -> None:
    store_failure("sqlite:///traces.db")
    harness("import", "trace:traces.db#step")
    ran = harness("run", "incidents", "--target", "python:cli_targets:empty", "--json")
    assert ran.code == 1


def test_a_trace_is_found_by_its_id_too(harness: Any) -> None:
    store(good(id="a"), good(id="b", step_id="a/../b"))
    assert "incidents/b.yaml" in harness("import", "trace:traces.db#b").out
    assert "incidents/a_b.yaml" in harness("import", "trace:traces.db#a/../b").out


def test_out_names_the_folder_and_json_the_file(harness: Any, here: Path) -> None:
    store(good())
    result = harness("import", "trace:traces.db#step_1", "--out", here / "elsewhere", "--json")
    path = here / "elsewhere" / "scenarios/anthropic_messages/incidents/step_1.yaml"
    [line] = result.lines()
    assert (line["source"], line["wrote"]) == ("trace:traces.db#step_1", str(path))
    assert path.is_file()


def test_existing_files_are_overwritten_with_force_only(harness: Any) -> None:
    store(good())
    harness("import", "trace:traces.db#step_1")
    path = SCENARIO.with_stem("step_1")
    path.write_text("requirements, written by a person", "utf-8")
    result = harness("import", "trace:traces.db#step_1")
    assert result.code == 2
    assert result.err == f"harness: {path}: exists already; --force overwrites it\n1 bad input\n"
    assert path.read_text("utf-8") == "requirements, written by a person"
    assert harness("import", "trace:traces.db#step_1", "--force").code == 0
    assert "SUGGESTIONS" in path.read_text("utf-8")
    assert [found.name for found in path.parent.iterdir()] == ["step_1.yaml"]


def test_one_bad_source_does_not_hide_the_others(harness: Any) -> None:
    store(good())
    result = harness("import", "trace:traces.db#none", "trace:traces.db#step_1")
    assert result.code == 2
    assert result.err.endswith("has no trace and no step 'none'\n1 bad input, 1 imported\n")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("trace:traces.db", "needs a database and an id; write trace:sqlite:///PATH#ID"),
        ("trace:#a", "needs a database and an id"),
        ("trace:sqlite:///none.db#a", "none.db: no such SQLite file"),
        ("trace:none.db#a", "none.db: no such SQLite file"),
        ("trace:foreign.db#a", "sqlite:foreign.db: has no traces; is it the database"),
        ("trace:text.db#a", "sqlite:text.db: cannot be read (file is not a database)"),
        ("trace:traces.db#unopened", "has no outcome: nothing to suggest as requirements"),
        ("trace:unix:///run/x.sock#a", "unix is a write-only trace backend"),
        ("trace:otlp:http://localhost:4318#a", "otlp is a write-only trace backend"),
        ("trace:sqlte:///traces.db#a", "unknown database 'sqlte'; did you mean 'sqlite'?"),
        ("trace:sqlite:///traces.db?mode=ro#a", "unknown sqlite option 'mode'"),
        ("trace:postgresql://me:secret@127.0.0.1:1/db#a", "127.0.0.1:1/db: cannot be read ("),
    ],
)
def test_what_cannot_be_imported_is_one_line_and_exit_2(
    source: str, message: str, harness: Any, here: Path
) -> None:
    store(unopened(id="unopened"))
    (here / "text.db").write_text("no database" * 100, "utf-8")
    with closing(sqlite3.connect("foreign.db")) as foreign:
        foreign.execute("CREATE TABLE guests (name TEXT)")
    before = sorted(here.rglob("*"))
    result = harness("import", source)
    assert result.code == 2
    assert result.out == ""
    assert result.err.count("\n") == 2
    assert message in result.err
    assert "secret" not in result.err
    assert sorted(here.rglob("*")) == before  # no file was made, no table, no journal
    with closing(sqlite3.connect("foreign.db")) as foreign:
        assert foreign.execute("SELECT name FROM sqlite_master").fetchall() == [("guests",)]
        assert foreign.execute("PRAGMA journal_mode").fetchall() == [("delete",)]


def test_a_postgresql_database_without_traces_is_not_changed(
    harness: Any, postgres: Postgres
) -> None:
    result = harness("import", f"trace:{postgres.dsn()}#a")
    assert result.code == 2
    assert "has no traces; is it the database that HARNESS_TRACES names?" in result.err
    with pytest.raises(psycopg.errors.DivisionByZero):
        postgres.admin("SELECT 1 / count(*) FROM pg_tables WHERE schemaname = %s", postgres.schema)
