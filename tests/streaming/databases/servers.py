"""Real databases for tests: a SQLite file, and a PostgreSQL schema per test."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import asynccontextmanager
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg
import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

HOST, PORT = "127.0.0.1", 5432
_USERS = ("root", "postgres")


@cache
def user_or_error() -> str:
    """Return the user that can connect, or ``!`` and the reason why none can."""
    reason = ""
    for user in _USERS:
        try:
            psycopg.connect(_dsn(user, PORT), connect_timeout=2).close()
        except psycopg.OperationalError as error:
            reason = " ".join(str(error).split())
        else:
            return user
    return f"!{reason}"


def _dsn(user: str, port: int) -> str:
    return f"postgresql://{user}@{HOST}:{port}/test"


class Postgres:
    """A new schema in a running server."""

    def __init__(self, user: str) -> None:
        self.user, self.schema = user, f"harness_test_{uuid.uuid4().hex[:12]}"

    def dsn(self, port: int = PORT, **more: str) -> str:
        options = {"options": f"-csearch_path={self.schema}", "application_name": self.schema}
        query = "&".join(f"{name}={quote(text)}" for name, text in {**options, **more}.items())
        return f"{_dsn(self.user, port)}?{query}"

    def admin(self, statement: str, *values: str) -> None:
        with psycopg.connect(_dsn(self.user, PORT), autocommit=True) as connection:
            connection.execute(statement.encode(), values)

    def kill(self) -> None:
        """Terminate every connection of this test on the server, as a failover does."""
        self.admin(
            "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity "
            "WHERE application_name = %s",
            self.schema,
        )


async def until(condition: Callable[[], bool]) -> None:
    """Run the event loop until a condition holds; fail after five seconds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - a condition sets no event
            await asyncio.sleep(0.001)


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    if user_or_error().startswith("!"):
        pytest.skip(f"no PostgreSQL at {HOST}:{PORT}: {user_or_error()[1:]}")
    server = Postgres(user_or_error())
    server.admin(f"CREATE SCHEMA {server.schema}")
    yield server
    server.admin(f"DROP SCHEMA {server.schema} CASCADE")


@pytest.fixture(params=["sqlite", "postgresql"])
def dsn(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The DSN of an empty database, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/test.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.dsn()


@asynccontextmanager
async def silent_server() -> AsyncIterator[int]:
    """A server that accepts connections and never replies; yields its port."""
    closing = asyncio.Event()

    async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await closing.wait()
        writer.close()

    server = await asyncio.start_server(accept, HOST, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        closing.set()
        server.close()
        await server.wait_closed()


class Proxy:
    """A proxy to PostgreSQL that can cut the connection in the middle of a statement."""

    def __init__(self) -> None:
        self.cut_next = False
        self.port = 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        their_reader, their_writer = await asyncio.open_connection(HOST, PORT)
        back = asyncio.create_task(self._pump(their_reader, writer))
        try:
            while data := await reader.read(65536):
                if self.cut_next:
                    self.cut_next = False
                    break
                their_writer.write(data)
        except ConnectionError:
            pass
        finally:
            back.cancel()
            for end in (their_writer, writer):
                end.transport.abort()

    @staticmethod
    async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)

    @classmethod
    @asynccontextmanager
    async def running(cls) -> AsyncIterator[tuple[Proxy, asyncio.Server]]:
        proxy = cls()
        server = await asyncio.start_server(proxy._serve, HOST, 0)
        proxy.port = server.sockets[0].getsockname()[1]
        try:
            yield proxy, server
        finally:
            server.close()
            await asyncio.sleep(0.01)  # the last connection is closed in its own task
