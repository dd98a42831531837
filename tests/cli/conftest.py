"""A project with two scenarios and a module of targets, and a way to call the commands in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harness.cli import main
from tests.scenario_files import HELLO, write

if TYPE_CHECKING:
    from pathlib import Path

TARGETS = """
import multiprocessing, os, pathlib, signal
from harness.model import Chunk, Outcome, Text

async def empty(call):
    stop = Chunk("stop_reason", finish="stop")
    return Outcome(chunks=(stop,), finish="stop", ending="complete", notes=("\\x00 \\ud83d",))

async def dies_once(call):
    died = pathlib.Path("died")
    if multiprocessing.parent_process() and not died.exists():
        died.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return await empty(call)

async def raises(call):
    raise ValueError("no words")

class Needs:
    def __init__(self, argument):
        raise AssertionError

TARGET = 5

async def cuts(call):
    import httpx2
    client = httpx2.AsyncClient(transport=call.transport)
    async with client, client.stream("POST", call.base_url) as response:
        reads = [read async for read in response.aiter_raw()]
    return Outcome(response_id=str(len(reads)))
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project with two scenarios and a module of targets."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "scenarios")
    write(tmp_path / "scenarios", "anthropic_messages/ending/cut", stream=HELLO["stream"][:-2])
    (tmp_path / "cli_targets.py").write_text(TARGETS, "utf-8")
    (tmp_path / "exits.py").write_text("raise SystemExit(5)", "utf-8")
    (tmp_path / "breaks.py").write_text("1 / 0", "utf-8")
    return tmp_path


class Result:
    """What a command returned and printed."""

    def __init__(self, code: int, captured: Any) -> None:
        self.code, self.out, self.err = code, captured.out, captured.err

    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def harness(capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*arguments: object) -> Result:
        code = main([str(argument) for argument in arguments])
        return Result(code, capsys.readouterr())

    return call
