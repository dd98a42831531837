"""The interface of a database, and the forms of its DSN.

==============================  ==================================================================
``sqlite:///traces.db``         a file, relative to the working directory
``sqlite:////var/traces.db``    a file by its absolute path: four slashes
``sqlite:///:memory:``          in memory, deleted when it is closed
``postgresql://user@host/db``   as libpq reads it, ``?options`` included; also ``postgres://``
==============================  ==================================================================

Rule of this file: connecting is lazy. An invalid DSN is refused at once; a server that cannot be
reached fails the first statement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from harness.errors import InputError, UnknownWordError
from harness.streaming.databases.sqlite import SqliteDatabase

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.streaming.databases.schema import Row, Schema, Values


class Database(Protocol):
    """One connection that creates its own tables."""

    @property
    def name(self) -> str:
        """Its name in reports; contains no secret."""

    async def execute(self, statement: str, values: Values | None = None) -> list[Row]:
        """Run one statement, committed when this returns, and return its rows.

        Raises:
            HarnessError: the database is closed, or a newer program created its tables.
            Exception: whatever the driver raised.
        """

    async def aclose(self) -> None:
        """Close the connection; no statement can run afterwards."""


def open_database(dsn: str, schema: Schema) -> Database:
    """Return the database of a DSN, not yet connected.

    Raises:
        InputError: the DSN is not valid, or the driver is not installed.
    """
    scheme = dsn.partition(":")[0]
    if scheme not in DATABASES:
        raise UnknownWordError("database", scheme, DATABASES)
    return DATABASES[scheme](dsn, schema)


def _postgres(dsn: str, schema: Schema) -> Database:
    try:
        from harness.streaming.databases.postgres import PostgresDatabase
    except ModuleNotFoundError as error:
        raise InputError(
            f"postgresql needs {error.name}: pip install 'llm-stream-harness[service]'"
        ) from error
    return PostgresDatabase(dsn, schema)


DATABASES: Mapping[str, Callable[[str, Schema], Database]] = {
    "sqlite": SqliteDatabase.of_dsn,
    "postgresql": _postgres,
    "postgres": _postgres,
}
