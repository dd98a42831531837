"""The store of runs, in a database that survives a restart.

Rules of this file: a run goes created -> running -> one terminal status, or from created directly
to a terminal one; a terminal status is never overwritten, and a second caller gets the stored run
(a cancelled run stays cancelled, however its loop ends); every write may run twice, because a
statement is repeated when the database lost its connection.
"""

from __future__ import annotations

import json
import time
import uuid
from typing import TYPE_CHECKING, Protocol

from pydantic import Field

from harness.errors import InputError
from harness.model import JSON, Value
from harness.streaming.databases.database import open_database
from harness.streaming.databases.schema import Row, Schema
from harness.streaming.serving.runs.statuses import TERMINAL, RunStatus, StopReason, status_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.streaming.databases.database import Database

DEFAULT_DSN = "sqlite:///runs.sqlite3"
_CREATED, _RUNNING = "created", "running"

SCHEMA = Schema(
    "runs",
    (
        """
        CREATE TABLE harness_runs (
            id TEXT PRIMARY KEY,
            agent_id TEXT,
            status TEXT NOT NULL,
            stop_reason TEXT,
            metadata TEXT NOT NULL,
            created_at DOUBLE PRECISION NOT NULL,
            started_at DOUBLE PRECISION,
            finished_at DOUBLE PRECISION
        )
        """,
        "CREATE INDEX harness_runs_by_agent ON harness_runs (agent_id, created_at)",
    ),
)
_CREATE = """
INSERT INTO harness_runs (id, agent_id, status, metadata, created_at)
VALUES (:id, :agent_id, :status, :metadata, :now)
ON CONFLICT (id) DO NOTHING
"""
_GET = "SELECT * FROM harness_runs WHERE id = :id"
_BY_AGENT = """
SELECT * FROM harness_runs WHERE agent_id = :agent_id
ORDER BY created_at DESC, id DESC LIMIT :limit
"""
_START = """
UPDATE harness_runs SET status = :status, started_at = :now WHERE id = :id AND status = :from_status
"""
_FINISH = """
UPDATE harness_runs
SET status = :status, stop_reason = :stop_reason, metadata = :metadata, finished_at = :now
WHERE id = :id AND finished_at IS NULL
"""


class RunExistsError(InputError):
    """A run with that id exists."""


class Run(Value):
    """One run; its times are seconds since the epoch."""

    id: str
    agent_id: str | None = None
    status: RunStatus = "created"
    stop_reason: StopReason | None = None
    metadata: dict[str, JSON] = Field(default_factory=dict)
    created_at: float
    started_at: float | None = None
    finished_at: float | None = None

    @property
    def terminal(self) -> bool:
        """Whether the run has ended and will not change any more."""
        return self.status in TERMINAL


class RunStore(Protocol):
    """A store of runs, as the service needs it."""

    async def create(
        self,
        agent_id: str | None = None,
        metadata: Mapping[str, JSON] | None = None,
        run_id: str | None = None,
    ) -> Run:
        """Store a new run; without ``run_id`` it gets a generated id.

        Raises:
            RunExistsError: a run with that id exists.
        """

    async def get(self, run_id: str) -> Run | None:
        """Return a run, None if there is none with that id."""

    async def start(self, run_id: str) -> Run:
        """Set a run to running if it is still created, and return the stored run.

        Raises:
            InputError: there is no run with that id.
        """

    async def finish(
        self, run_id: str, stop_reason: StopReason, metadata: Mapping[str, JSON] | None = None
    ) -> Run:
        """End a run, unless it has ended, and return the stored run.

        Args:
            run_id: the run.
            stop_reason: why it ended; its status follows from it.
            metadata: merged into the metadata the run was created with, key by key.

        Raises:
            InputError: there is no run with that id, or the stop reason is unknown.
        """

    async def by_agent(self, agent_id: str, limit: int = 50) -> list[Run]:
        """Return an agent's runs, the newest first."""

    async def aclose(self) -> None:
        """Release the store's resources."""


class DatabaseRuns:
    """Runs in a database.

    Args:
        database: SQLite or PostgreSQL, opened with ``SCHEMA``.
        clock: seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time):
        self._database, self._clock = database, clock

    async def create(
        self,
        agent_id: str | None = None,
        metadata: Mapping[str, JSON] | None = None,
        run_id: str | None = None,
    ) -> Run:
        """Store a new run; see ``RunStore``."""
        wanted = Run(
            id=run_id or uuid.uuid4().hex,
            agent_id=agent_id,
            metadata=json.loads(json.dumps(dict(metadata or {}))),
            created_at=self._clock(),
        )
        values = {
            "id": wanted.id,
            "agent_id": agent_id,
            "status": _CREATED,
            "metadata": json.dumps(wanted.metadata),
            "now": wanted.created_at,
        }
        await self._database.execute(_CREATE, values)
        if await self._existing(wanted.id) != wanted:
            raise RunExistsError(f"a run {wanted.id!r} exists already")
        return wanted

    async def get(self, run_id: str) -> Run | None:
        """Return a run; see ``RunStore``."""
        rows = await self._database.execute(_GET, {"id": run_id})
        return _run(rows[0]) if rows else None

    async def start(self, run_id: str) -> Run:
        """Set a run to running; see ``RunStore``."""
        change = {"from_status": _CREATED, "status": _RUNNING, "now": self._clock()}
        await self._database.execute(_START, {"id": run_id, **change})
        return await self._existing(run_id)

    async def finish(
        self, run_id: str, stop_reason: StopReason, metadata: Mapping[str, JSON] | None = None
    ) -> Run:
        """End a run; see ``RunStore``."""
        status = status_of(stop_reason)
        run = await self._existing(run_id)
        values = {"id": run_id, "status": status, "stop_reason": stop_reason}
        merged = json.dumps({**run.metadata, **(metadata or {})})
        await self._database.execute(_FINISH, {**values, "metadata": merged, "now": self._clock()})
        return await self._existing(run_id)

    async def by_agent(self, agent_id: str, limit: int = 50) -> list[Run]:
        """Return an agent's runs; see ``RunStore``."""
        values = {"agent_id": agent_id, "limit": limit}
        return [_run(row) for row in await self._database.execute(_BY_AGENT, values)]

    async def aclose(self) -> None:
        """Close the database."""
        await self._database.aclose()

    async def _existing(self, run_id: str) -> Run:
        run = await self.get(run_id)
        if run is None:
            raise InputError(f"there is no run {run_id!r}")
        return run


def make_runs(dsn: str = DEFAULT_DSN, clock: Callable[[], float] = time.time) -> DatabaseRuns:
    """Return the store of runs in a database, not yet connected.

    Raises:
        InputError: the DSN is not valid; see databases/database.py for its forms.
    """
    return DatabaseRuns(open_database(dsn, SCHEMA), clock)


def _run(row: Row) -> Run:
    return Run(**{**row, "metadata": json.loads(row["metadata"])})
