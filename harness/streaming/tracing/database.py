"""Traces in SQLite or PostgreSQL.

Rules of this file: the record is stored completely, as its JSON; the other columns are copies of
fields of the trace, for queries. A trace that is written twice is stored once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.streaming.databases.schema import Schema
from harness.streaming.tracing.trace import ProviderTrace

if TYPE_CHECKING:
    from harness.streaming.databases.database import Database
    from harness.streaming.databases.schema import Values

SCHEMA = Schema(
    "traces",
    (
        """
        CREATE TABLE harness_traces (
            id TEXT PRIMARY KEY,
            created_at DOUBLE PRECISION NOT NULL,
            step_id TEXT,
            run_id TEXT,
            org_id TEXT,
            record TEXT NOT NULL
        )
        """,
        "CREATE INDEX harness_traces_by_step ON harness_traces (step_id, created_at)",
        "CREATE INDEX harness_traces_by_run ON harness_traces (run_id, created_at)",
        "CREATE INDEX harness_traces_by_org ON harness_traces (org_id, created_at)",
    ),
)
_CREATE = """
INSERT INTO harness_traces (id, created_at, step_id, run_id, org_id, record)
VALUES (:id, :created_at, :step_id, :run_id, :org_id, :record)
ON CONFLICT (id) DO NOTHING
"""
_READ = """
SELECT record FROM harness_traces WHERE step_id = :step_id ORDER BY created_at DESC, id LIMIT 1
"""
_FIND = """
SELECT record FROM harness_traces WHERE id = :id OR step_id = :id
ORDER BY created_at DESC, id LIMIT 1
"""


class DatabaseTraces:
    """Traces in a database.

    Args:
        database: SQLite or PostgreSQL, opened with ``SCHEMA``.
    """

    def __init__(self, database: Database):
        self.name = database.name
        self._database = database

    async def create(self, trace: ProviderTrace) -> None:
        """Insert one trace."""
        columns = {
            "id": trace.id,
            "created_at": trace.created_at.timestamp(),
            "step_id": trace.step_id,
            "run_id": trace.run_id,
            "org_id": trace.org_id,
            "record": trace.to_json(),
        }
        await self._database.execute(_CREATE, columns)

    async def read(self, step_id: str) -> ProviderTrace | None:
        """Return a step's newest trace."""
        return await self._first(_READ, {"step_id": step_id})

    async def find(self, trace_or_step_id: str) -> ProviderTrace | None:
        """Return the trace with that id, or else the newest trace of the step with that id."""
        return await self._first(_FIND, {"id": trace_or_step_id})

    async def _first(self, statement: str, values: Values) -> ProviderTrace | None:
        rows = await self._database.execute(statement, values)
        return ProviderTrace.from_json(rows[0]["record"]) if rows else None

    async def aclose(self) -> None:
        """Close the database."""
        await self._database.aclose()
