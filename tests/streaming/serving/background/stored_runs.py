"""Runs that are stored in a real Redis, and ways to read them."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import subprocess
import uuid
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import InputError
from harness.model import Chunk, Usage
from harness.streaming.serving.background import EventStore, Settings, WriterGoneError
from harness.streaming.serving.client_events import DONE, FAILURES, ClientEventBuilder, write

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from harness.streaming.serving.background.run_log import RunLog

URL = "redis://127.0.0.1:6379/0"
COUNTS = Usage(input=1)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PREFIX = f"test-{uuid.uuid4().hex}"
QUICK: Any = {"prefix": PREFIX, "batch_age": 0.002, "block": 0.02}


@asynccontextmanager
async def opened(**changes: Any) -> AsyncIterator[EventStore]:
    async with EventStore(Settings(**{**QUICK, **changes})) as event_store:
        yield event_store


def new_id() -> str:
    return uuid.uuid4().hex


def event_builder() -> ClientEventBuilder:
    return ClientEventBuilder("run", lambda message_id, part: f"{message_id}/{part}", lambda: NOON)


def run_frames(texts: Iterable[str] = ("Hel", "lo")) -> list[bytes]:
    builder = event_builder()
    messages = [builder.message(Chunk("text", t, 0), message_id="m", step_id="s") for t in texts]
    return [
        *map(write, messages),
        *map(write, (builder.stop_reason("end_turn"), builder.usage(COUNTS), DONE)),
    ]


def failed_run_frames(texts: Iterable[str]) -> list[bytes]:
    builder = event_builder()
    messages = [builder.message(Chunk("text", t, 0), message_id="m", step_id="s") for t in texts]
    tail = builder.stop_reason("llm_api_error"), builder.error(FAILURES["server"]), DONE
    return [*map(write, messages), *map(write, tail)]


async def source_of(pieces: Iterable[Any], failure: Exception | None = None) -> Any:
    for piece in pieces:
        yield piece
    if failure is not None:
        raise failure


async def collect(stream: AsyncIterator[Any]) -> list[Any]:
    return [piece async for piece in stream]


async def store_run(event_store: EventStore, pieces: Iterable[bytes]) -> str:
    run_id = new_id()
    writer = await event_store.writer(run_id)
    await collect(writer.writing(source_of(pieces)))
    assert writer.failure is None
    return run_id


async def begin_run(event_store: EventStore, sent: list[bytes]) -> tuple[str, RunLog]:
    """Begin a run and append frames, as a writer does that dies then."""
    run_id = new_id()
    log = event_store._log(run_id)
    await log.begin()
    await log.append(list(enumerate(sent, 1)))
    return run_id, log


async def read_into(received: list[bytes], stream: AsyncIterator[bytes]) -> None:
    async for frame in stream:
        received.append(frame)  # noqa: PERF401 - keeps what came before an error


def no_task_left() -> bool:
    return asyncio.all_tasks() == {asyncio.current_task()}


async def read_broken_run(event_store: EventStore, run_id: str) -> tuple[list[bytes], str]:
    """Return what a reader receives of a run that broke off, and the error's message."""
    received: list[bytes] = []
    with pytest.raises(WriterGoneError) as raised:
        await read_into(received, event_store.frames(run_id))
    return received, str(raised.value)


async def is_reachable(event_store: EventStore) -> bool:
    try:
        await event_store.ensure_reachable()
    except InputError:
        return False
    return True


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(5):
        while not await condition():  # noqa: ASYNC110 - another process cannot set an event
            await asyncio.sleep(0.005)


class PrivateRedis:
    """A Redis of one test, which may kill it."""

    def __init__(self, folder: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"redis://:secret@127.0.0.1:{self.port}/0"
        place = ("--bind", "127.0.0.1", "--port", str(self.port), "--dir", folder)
        self.process = subprocess.Popen(  # noqa: S603 - our own arguments
            [str(shutil.which("redis-server")), *place, "--save", "", "--requirepass", "secret"],
            stdout=subprocess.DEVNULL,
        )

    def stop(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
