"""Runs to keep in a real Redis, and ways to look at what was kept."""

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
from harness.streaming.serving.background import Background, Settings, WriterGoneError
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
async def tuned(**tuning: Any) -> AsyncIterator[Background]:
    async with Background(Settings(**{**QUICK, **tuning})) as opened:
        yield opened


def new_id() -> str:
    return uuid.uuid4().hex


def framer() -> ClientEventBuilder:
    return ClientEventBuilder("run", lambda message_id, part: f"{message_id}/{part}", lambda: NOON)


def frames(words: Iterable[str] = ("Hel", "lo")) -> list[bytes]:
    make = framer()
    said = [make.message(Chunk("text", w, 0), message_id="m", step_id="s") for w in words]
    return [
        *map(write, said),
        *map(write, (make.stop_reason("end_turn"), make.usage(COUNTS), DONE)),
    ]


def failing(words: Iterable[str]) -> list[bytes]:
    make = framer()
    said = [make.message(Chunk("text", w, 0), message_id="m", step_id="s") for w in words]
    tail = make.stop_reason("llm_api_error"), make.error(FAILURES["server"]), DONE
    return [*map(write, said), *map(write, tail)]


async def sending(pieces: Iterable[Any], failure: Exception | None = None) -> Any:
    for piece in pieces:
        yield piece
    if failure is not None:
        raise failure


async def drained(stream: AsyncIterator[Any]) -> list[Any]:
    return [piece async for piece in stream]


async def written(background: Background, pieces: Iterable[bytes]) -> str:
    run_id = new_id()
    writer = await background.writer(run_id)
    await drained(writer.writing(sending(pieces)))
    assert writer.failure is None
    return run_id


async def begun(background: Background, sent: list[bytes]) -> tuple[str, RunLog]:
    """Open a run by hand, as a writer would that dies behind some frames."""
    run_id = new_id()
    log = background._log(run_id)
    await log.begin()
    await log.append(list(enumerate(sent, 1)))
    return run_id, log


async def read_into(seen: list[bytes], stream: AsyncIterator[bytes]) -> None:
    async for frame in stream:
        seen.append(frame)  # noqa: PERF401 - a comprehension would lose what came before an error


def no_task_left() -> bool:
    return asyncio.all_tasks() == {asyncio.current_task()}


async def told(background: Background, run_id: str) -> tuple[list[bytes], str]:
    """Return what a reader gets of a run that broke off, and why."""
    seen: list[bytes] = []
    with pytest.raises(WriterGoneError) as raised:
        await read_into(seen, background.read_events(run_id))
    return seen, str(raised.value)


async def answers(background: Background) -> bool:
    try:
        await background.check()
    except InputError:
        return False
    return True


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(5):
        while not await holds():  # noqa: ASYNC110 - another process sets no event of ours
            await asyncio.sleep(0.005)


class PrivateRedis:
    """A Redis of the test's own, to be killed."""

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
