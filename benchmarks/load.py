"""A demonstration in a process of its own, and any number of clients that read it at once.

Clients speak HTTP/1.0, so a body is all that comes until the connection is closed: what is counted
is what the server sent, not what a client library made of it.
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
_LOOKS_S = 0.25  # between two looks at how many runs go on
_PATIENCE_S = 30  # for a process that ends
_OK, _ACCEPTED = 200, 202


class Told(NamedTuple):
    """What one client was told, and how long it took."""

    status: int
    frames: list[ClientEvent]
    seconds: float

    @property
    def lost(self) -> list[str]:
        """What is wrong with it; a stream has one stop reason, one ``[DONE]``, and no error."""
        if self.status != _OK:
            return [f"status {self.status}"]
        wrong = [sentence for _, _, sentence in client_event_violations(self.frames)]
        return wrong + [f"an error: {f.body}" for f in self.frames if f.label == "error"]


class Demo:
    """``harness demo`` on a free port.

    Args:
        arguments: more of the command's.
    """

    def __init__(self, *arguments: str) -> None:
        self._ended: tuple[int, str] | None = None
        command = [sys.executable, "-m", "harness", "demo", "--port", "0", *arguments]
        self._complaints = TemporaryFile("w+")  # noqa: SIM115 - closed by ``end``; a pipe may fill up
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            command, stdout=subprocess.PIPE, stderr=self._complaints, text=True
        )
        assert self.process.stdout is not None  # noqa: S101 - it is a pipe
        first = self.process.stdout.readline()
        if not first:
            raise RuntimeError(f"no demonstration: {self.end()[1]}")
        self.url = first.split()[3].rstrip(";")
        self.port = int(self.url.rpartition(":")[2])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self, number: signal.Signals = signal.SIGINT) -> tuple[int, str]:
        """Stop it as a person would; returns its exit code and what it complained of."""
        if self._ended is not None:
            return self._ended
        self.process.send_signal(number)
        try:
            self.process.communicate(timeout=_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
        with self._complaints as complaints:
            complaints.seek(0)
            self._ended = self.process.returncode, complaints.read()
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


class Crowd(NamedTuple):
    """What came of many clients: what each was told, and the most runs that went on at once."""

    told: list[Told]
    most: int

    @property
    def lost(self) -> list[str]:
        """What is wrong with any of it."""
        return [wrong for told in self.told for wrong in told.lost]


@contextmanager
def private_redis() -> Iterator[str | None]:
    """Run a Redis of one's own while the block runs; yields its URL, None where there is none."""
    server = shutil.which("redis-server")
    if server is None:
        yield None
        return
    with socket.socket() as free:
        free.bind((_HOST, 0))
        port = free.getsockname()[1]
    with TemporaryDirectory() as folder:
        place = ("--bind", _HOST, "--port", str(port), "--dir", folder, "--save", "")
        process = subprocess.Popen([server, *place], stdout=subprocess.DEVNULL)  # noqa: S603 - our own
        try:
            yield f"redis://{_HOST}:{port}/0"
        finally:
            process.kill()
            process.wait()


async def crowd(
    demo: Demo, count: int, query: str, way: Callable[[int, str], Awaitable[Told]] | None = None
) -> Crowd:
    """Read that many runs at once, each to its end, by ``run`` or another way."""
    seen: list[int] = []
    looking = asyncio.create_task(_look(demo.port, seen))
    try:
        told = await asyncio.gather(*((way or run)(demo.port, query) for _ in range(count)))
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
    return Crowd(told, max(seen))


async def run(port: int, query: str) -> Told:
    """Read one run to its end."""
    started = perf_counter()
    status, body = await ask(port, "POST", f"/v1/runs?{query}")
    return Told(status, ClientEventReader().feed(body), perf_counter() - started)


async def followed(port: int, query: str) -> Told:
    """Start a run in the background and follow it to its end."""
    started = perf_counter()
    status, body = await ask(port, "POST", f"/v1/runs?background=true&{query}")
    if status != _ACCEPTED:
        return Told(status, [], perf_counter() - started)
    status, body = await ask(port, "GET", f"/v1/runs/{json.loads(body)['id']}/stream")
    return Told(status, ClientEventReader().feed(body), perf_counter() - started)


async def ask(port: int, method: str, target: str) -> tuple[int, bytes]:
    """Send one request without a body; returns the status and the whole body."""
    reader, writer = await asyncio.open_connection(_HOST, port)
    try:
        writer.write(f"{method} {target} HTTP/1.0\r\n\r\n".encode())
        answer = await reader.read()
    finally:
        writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


async def _look(port: int, seen: list[int]) -> None:
    while True:
        _, body = await ask(port, "GET", "/v1/runs")
        found: dict[str, Any] = json.loads(body)
        seen.append(found["going"])
        await asyncio.sleep(_LOOKS_S)


def median(numbers: Iterable[float]) -> float:
    """Return the number in the middle."""
    ordered = sorted(numbers)
    return ordered[len(ordered) // 2]
