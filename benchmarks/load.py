"""A load test: ``harness demo`` in its own process, and any number of clients at once.

The clients use HTTP/1.0, so a body is all that arrives until the connection is closed: what is
counted is what the server sent, not what a client library made of it.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from harness.streaming.serving.client_events import (
    ClientEvent,
    ClientEventReader,
    client_event_violations,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

_HOST = "127.0.0.1"
_POLL_INTERVAL_S = 0.25  # between two requests for the number of active runs
_STOP_TIMEOUT_S = 30
_OK, _ACCEPTED = 200, 202


class StreamRead(NamedTuple):
    """The stream that one client received, and the seconds it took."""

    status: int
    events: list[ClientEvent]
    seconds: float

    @property
    def lost(self) -> list[str]:
        """What is wrong with it; a stream has one stop reason, one ``[DONE]``, and no error."""
        if self.status != _OK:
            return [f"status {self.status}"]
        wrong = [sentence for _, _, sentence in client_event_violations(self.events)]
        return wrong + [f"an error: {e.body}" for e in self.events if e.label == "error"]


class Demo:
    """``harness demo`` on a free port.

    Args:
        arguments: further arguments of the command.
    """

    def __init__(self, *arguments: str) -> None:
        self._ended: tuple[int, str] | None = None
        command = [sys.executable, "-m", "harness", "demo", "--port", "0", *arguments]
        self._stderr = TemporaryFile("w+")  # noqa: SIM115 - ``end`` closes it; a pipe may fill up
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            command, stdout=subprocess.PIPE, stderr=self._stderr, text=True
        )
        assert self.process.stdout is not None  # noqa: S101 - it is a pipe
        first = self.process.stdout.readline()
        if not first:
            raise RuntimeError(f"`harness demo` did not start: {self.end()[1]}")
        self.url = first.split()[3].rstrip(";")
        self.port = int(self.url.rpartition(":")[2])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self, number: signal.Signals = signal.SIGINT) -> tuple[int, str]:
        """Stop the process as a person would; return its exit code and stderr."""
        if self._ended is not None:
            return self._ended
        self.process.send_signal(number)
        try:
            self.process.communicate(timeout=_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
        with self._stderr as stderr:
            stderr.seek(0)
            self._ended = self.process.returncode, stderr.read()
        return self._ended

    @property
    def resident(self) -> float:
        """MiB of memory the process holds, freed but not returned memory included (Linux)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        [line] = [line for line in status.splitlines() if line.startswith("VmRSS")]
        return int(line.split()[1]) / 1024

    @property
    def cpu(self) -> float:
        """CPU seconds the process has used (Linux)."""
        line = Path(f"/proc/{self.process.pid}/stat").read_text("ascii")
        fields = line.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100


class LoadResult(NamedTuple):
    """What many clients received, and the largest number of runs that were active at once."""

    streams: list[StreamRead]
    most_at_once: int

    @property
    def lost(self) -> list[str]:
        """What is wrong with any of the streams."""
        return [wrong for stream in self.streams for wrong in stream.lost]


@contextmanager
def private_redis() -> Iterator[str | None]:
    """Run a private Redis during the block; yield its URL, or None without ``redis-server``."""
    server = shutil.which("redis-server")
    if server is None:
        yield None
        return
    with socket.socket() as free:
        free.bind((_HOST, 0))
        port = free.getsockname()[1]
    with TemporaryDirectory() as folder:
        place = ("--bind", _HOST, "--port", str(port), "--dir", folder, "--save", "")
        process = subprocess.Popen([server, *place], stdout=subprocess.DEVNULL)  # noqa: S603 - our own command
        try:
            yield f"redis://{_HOST}:{port}/0"
        finally:
            process.kill()
            process.wait()


async def load_test(
    demo: Demo,
    count: int,
    query: str,
    client: Callable[[int, str], Awaitable[StreamRead]] | None = None,
) -> LoadResult:
    """Read ``count`` runs at once, each to its end.

    Args:
        demo: the server.
        count: how many clients.
        query: the query of each run's URL.
        client: reads one run; None is ``run``.
    """
    active: list[int] = []
    polling = asyncio.create_task(_poll_active_runs(demo.port, active))
    try:
        streams = await asyncio.gather(*((client or run)(demo.port, query) for _ in range(count)))
    finally:
        polling.cancel()
        with suppress(asyncio.CancelledError):
            await polling
    return LoadResult(streams, max(active))


async def run(port: int, query: str) -> StreamRead:
    """Read one run to its end."""
    started = perf_counter()
    status, body = await request(port, "POST", f"/v1/runs?{query}")
    return StreamRead(status, ClientEventReader().feed(body), perf_counter() - started)


async def follow(port: int, query: str) -> StreamRead:
    """Start a run in the background and follow it to its end."""
    started = perf_counter()
    status, body = await request(port, "POST", f"/v1/runs?background=true&{query}")
    if status != _ACCEPTED:
        return StreamRead(status, [], perf_counter() - started)
    status, body = await request(port, "GET", f"/v1/runs/{json.loads(body)['id']}/stream")
    return StreamRead(status, ClientEventReader().feed(body), perf_counter() - started)


async def request(port: int, method: str, target: str) -> tuple[int, bytes]:
    """Send one request without a body; return the status and the whole body of the response."""
    reader, writer = await asyncio.open_connection(_HOST, port)
    try:
        writer.write(f"{method} {target} HTTP/1.0\r\n\r\n".encode())
        response = await reader.read()
    finally:
        writer.close()
    head, _, body = response.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


async def _poll_active_runs(port: int, active: list[int]) -> None:
    while True:
        _, body = await request(port, "GET", "/v1/runs")
        runs: dict[str, Any] = json.loads(body)
        active.append(runs["going"])
        await asyncio.sleep(_POLL_INTERVAL_S)


def median(numbers: Iterable[float]) -> float:
    """Return the upper median."""
    ordered = sorted(numbers)
    return ordered[len(ordered) // 2]
