"""SQLite with the standard library, in a thread of its own.

Rules of this file: one connection, one thread, one statement after the other, so the event loop
never waits for a disk and a cancelled caller never interrupts a statement; write-ahead logging, so
processes can read while another one writes; a file that another process has locked is waited for,
for ``timeout`` seconds.
"""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from harness.errors import HarnessError, InputError
from harness.streaming.databases.options import SECONDS, split_options

if TYPE_CHECKING:
    from typing import Self

    from harness.streaming.databases.schema import Row, Schema, Values

MEMORY = ":memory:"
_OPTIONS = {"timeout": SECONDS}


class SqliteDatabase:
    """A SQLite database, in a file or in memory.

    Args:
        path: the file, created if it does not exist; ``:memory:`` for a database in memory.
        schema: the tables to create in it.
        timeout: seconds to wait for a lock of another process.
    """

    def __init__(self, path: str, schema: Schema, timeout: float = 5.0):
        self.name = f"sqlite:{path}"
        self._path, self._schema, self._timeout = path, schema, timeout
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="sqlite")
        self._connection: sqlite3.Connection | None = None
        self._closed = False

    @classmethod
    def of_dsn(cls, dsn: str, schema: Schema) -> Self:
        """Return the database of ``sqlite:///PATH[?timeout=SECONDS]``.

        Raises:
            InputError: the path or an option is not valid.
        """
        address, options = split_options(dsn, "sqlite", _OPTIONS)
        start, path = address[: len("sqlite:///")], address[len("sqlite:///") :]
        if start != "sqlite:///" or not path:
            raise InputError(
                f"{address!r} names no file; write sqlite:///PATH, with a fourth slash before an "
                f"absolute path, or sqlite:///{MEMORY}"
            )
        return cls(unquote(path), schema, **options)

    async def execute(self, statement: str, values: Values | None = None) -> list[Row]:
        """Run one statement in the worker thread; see ``Database``."""
        if self._closed:
            raise HarnessError(f"{self.name} is closed")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._worker, self._execute, statement, values or {})

    async def aclose(self) -> None:
        """Close the file after the waiting statements."""
        if not self._closed:
            self._closed = True
            done = asyncio.get_running_loop().run_in_executor(self._worker, self._disconnect)
            self._worker.shutdown(wait=False)
            await done

    def _execute(self, statement: str, values: Values) -> list[Row]:
        connection = self._connection or self._connect()
        return connection.execute(statement, values).fetchall()

    def _connect(self) -> sqlite3.Connection:
        """Open the file and create its tables; a failure leaves no connection open."""
        connection = sqlite3.connect(
            self._path, timeout=self._timeout, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = _row
        try:
            connection.execute("BEGIN IMMEDIATE")
            self._install(connection)
            connection.execute("COMMIT")
            with suppress(sqlite3.OperationalError):  # another process is setting it
                connection.execute("PRAGMA journal_mode = WAL")
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _install(self, connection: sqlite3.Connection) -> None:
        steps = self._schema.install()
        with suppress(StopIteration):
            statement = next(steps)
            while True:
                statement = steps.send(connection.execute(*statement).fetchall())

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _row(cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> Row:
    return {column[0]: value for column, value in zip(cursor.description, values, strict=True)}
