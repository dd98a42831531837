"""PostgreSQL over psycopg's asynchronous connection; the only importer of psycopg.

Rules of this file: one connection, one statement after the other, each committed at once; if the
connection was lost, it is opened again, once, and the statement runs again, so every statement must
be safe to run twice; if it cannot be opened, the caller gets the exception. No name and no error of
ours contains a password.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import dict_row

from harness.errors import HarnessError, InputError
from harness.streaming.databases.options import refuse_unknown

if TYPE_CHECKING:
    from harness.streaming.databases.schema import Row, Schema, Values

CONNECT_TIMEOUT_S = 5  # if the DSN names none; libpq's default is to wait forever
_PLACEHOLDER = re.compile(r":([a-z_]+)")
# One lock for all our schemas: programs that start together create their tables one by one.
_INSTALL_LOCK = b"SELECT pg_advisory_xact_lock(7275418)"


class PostgresDatabase:
    """A PostgreSQL database; its tables are in the first schema of the search path.

    Args:
        dsn: ``postgresql://user:password@host:port/database?options``.
        schema: the tables to create in it.

    Raises:
        InputError: the DSN cannot be read, or has an unknown option.
    """

    def __init__(self, dsn: str, schema: Schema):
        self._conninfo = _conninfo(dsn)
        address = urlsplit(dsn)
        self.name = f"postgresql://{address.netloc.rpartition('@')[2]}{address.path}"
        self._schema = schema
        self._lock = asyncio.Lock()
        self._connection: psycopg.AsyncConnection[Row] | None = None
        self._closed = False

    async def execute(self, statement: str, values: Values | None = None) -> list[Row]:
        """Run one statement, on a new connection if the old one is lost; see ``Database``."""
        async with self._lock:
            connection = await self._connected()
            try:
                return await _run(connection, statement, values or {})
            except psycopg.OperationalError:
                if not connection.closed:
                    raise
            return await _run(await self._connected(), statement, values or {})

    async def aclose(self) -> None:
        """Close the connection at once, also while a statement waits."""
        self._closed = True
        if self._connection is not None:
            await self._connection.close()

    async def _connected(self) -> psycopg.AsyncConnection[Row]:
        if self._closed:
            raise HarnessError(f"{self.name} is closed")
        if self._connection is None or self._connection.closed:
            self._connection = await self._connect()
        return self._connection

    async def _connect(self) -> psycopg.AsyncConnection[Row]:
        """Open a connection and create the tables; a failure leaves no connection open."""
        connection = await psycopg.AsyncConnection.connect(
            self._conninfo, autocommit=True, row_factory=dict_row
        )
        try:
            async with connection.transaction():
                await self._install(connection)
        except BaseException:
            await connection.close()
            raise
        return connection

    async def _install(self, connection: psycopg.AsyncConnection[Row]) -> None:
        await connection.execute(_INSTALL_LOCK)
        steps = self._schema.install()
        with suppress(StopIteration):
            statement = next(steps)
            while True:
                statement = steps.send(await _run(connection, *statement))


async def _run(
    connection: psycopg.AsyncConnection[Row], statement: str, values: Values
) -> list[Row]:
    cursor = await connection.execute(_PLACEHOLDER.sub(r"%(\1)s", statement).encode(), values)
    return await cursor.fetchall() if cursor.description else []


def _conninfo(dsn: str) -> str:
    """Parse a DSN; unlike psycopg's message, ours never contains the password."""
    known = frozenset(option.keyword.decode() for option in pq.Conninfo.get_defaults())
    names = (name for name, _ in parse_qsl(urlsplit(dsn).query, keep_blank_values=True))
    refuse_unknown(names, "postgresql", known)
    try:
        given = conninfo_to_dict(dsn)
    except psycopg.ProgrammingError:
        raise InputError(
            "the postgresql DSN cannot be read; percent-encode the special characters in its parts"
        ) from None
    return make_conninfo(dsn, connect_timeout=given.get("connect_timeout", CONNECT_TIMEOUT_S))
