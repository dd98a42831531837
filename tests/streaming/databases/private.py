"""A PostgreSQL server of one test, which may kill all its processes at once."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_INSTALLED = Path("/usr/lib/postgresql")  # where Debian installs it, outside of PATH
_USER = "postgres"
_BARE = ("-c", "fsync=off", "-c", "unix_socket_directories=", "-c", "listen_addresses=127.0.0.1")


class PrivatePostgres:
    """A running server; ``kill`` ends it without a shutdown."""

    def __init__(self, binaries: Path, folder: Path, as_user: dict[str, Any]) -> None:
        self.port = _free_port()
        self.dsn = f"postgresql://{_USER}@127.0.0.1:{self.port}/postgres"
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        options = ("-D", str(folder), "-U", _USER, "-A", "trust", "--no-sync", "--no-instructions")
        subprocess.run(  # noqa: S603 - our own arguments
            [binaries / "initdb", *options], check=True, cwd=folder, **quiet, **as_user
        )
        self.process = subprocess.Popen(  # noqa: S603 - our own arguments
            [binaries / "postgres", "-D", folder, "-p", str(self.port), *_BARE],
            cwd=folder,
            **quiet,
            **as_user,
        )

    def wait(self) -> None:
        """Wait until it accepts connections."""
        while True:
            assert self.process.poll() is None, "PostgreSQL did not start"
            with suppress(psycopg.OperationalError):
                return psycopg.connect(self.dsn, connect_timeout=2).close()

    def kill(self) -> None:
        """Kill the server and the processes of its connections; a second time does nothing."""
        if self.process.poll() is None:
            children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
            for pid in [self.process.pid, *map(int, children.read_text("ascii").split())]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()


@contextmanager
def _folder(as_user: dict[str, Any]) -> Iterator[Path]:
    """A folder that the server's user can enter: only our user can enter those of pytest."""
    folder = Path(tempfile.mkdtemp(prefix="harness-postgres-"))
    if as_user:
        shutil.chown(folder, as_user["user"])
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def private_postgres() -> Iterator[PrivatePostgres]:
    binaries = sorted(_INSTALLED.glob("*/bin/postgres"))
    postgres = Path(shutil.which("postgres") or (binaries[-1] if binaries else ""))
    if postgres == Path() or not Path("/proc/self/task").exists():
        pytest.skip("no PostgreSQL to kill")
    try:
        as_user = {} if os.getuid() else {"user": pwd.getpwnam(_USER).pw_uid}
    except KeyError:
        pytest.skip(f"PostgreSQL does not run as root, and there is no user {_USER!r}")
    with _folder(as_user) as folder:
        server = PrivatePostgres(postgres.resolve().parent, folder, as_user)
        try:
            server.wait()
            yield server
        finally:
            server.kill()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
