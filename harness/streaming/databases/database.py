"""What a database is to the rooms that keep things in one, and how it is named.

==============================  ==================================================================
``sqlite:///traces.db``         a file, relative to the working directory
``sqlite:////var/traces.db``    a file by its absolute path: four slashes
``sqlite:///:memory:``          gone when it is closed
``postgresql://user@host/db``   as libpq reads it, ``?options`` included; also ``postgres://``
==============================  ==================================================================

Rule of this file: opening is lazy. A DSN with a typing error is refused at once, a server that is
away is only met by the first statement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from harness.errors import InputError, UnknownWordError
from harness.streaming.databases.sqlite import SqliteDatabase

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.streaming.databases.schema import Row, Schema, Values


class Database(Protocol):
    """One connection that makes its own tables; ``name`` tells it from others, without secrets."""

    @property
    def name(self) -> str:
        """What reports call it."""

    async def execute(self, statement: str, values: Values | None = None) -> list[Row]:
        """Run one statement, committed when this returns, and return its rows.

        Raises:
            HarnessError: the database is closed, or its tables are of a newer program.
            Exception: whatever the driver raised.
        """

    async def aclose(self) -> None:
        """Give the connection back; nothing can be run afterwards."""


def open_database(dsn: str, schema: Schema) -> Database:
    """Return the database of a DSN, not yet connected.

    Raises:
        InputError: the DSN is at fault, or the driver is not installed.
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
