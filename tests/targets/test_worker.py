"""The Python worker: a target in another process says what it says in this one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import harness
from harness.engine.replayer import Replayer, TargetRequest
from harness.errors import TargetError
from harness.playback.response_registry import ResponseRegistry
from harness.playback.server import serving
from harness.targets.addresses import process_of
from harness.targets.stdio import Process, outcome_of
from tests.targets.conftest import script

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from harness.wire.script import Script

TARGETS = """
from harness.model import Outcome
print("imported", flush=True)

async def mute(call):
    print("listening")
    raise ValueError("no words")

async def chats(call):
    return Outcome(ending="complete")
chats.protocols = ("openai_chat",)

async def leaves(call):
    raise SystemExit(5)
"""
STREAM = [
    "message_start",
    "content_block_start",
    {"text_delta": {"at": [0], "text": "Hello"}},
    "content_block_stop",
    "message_delta",
    "message_stop",
]


@pytest.fixture
def hello() -> Script:
    return script("anthropic_messages", STREAM)


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "worker_targets.py").write_text(TARGETS)
    monkeypatch.chdir(tmp_path)
    yield
    sys.modules.pop("worker_targets", None)
    sys.path[:] = [place for place in sys.path if place != str(tmp_path)]


@pytest.fixture
async def ask(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """Return the way to ask a worker of the target the test names."""
    process = process_of(request.param)
    yield process.ask
    await process.aclose()


@pytest.mark.parametrize("ask", ["builtin"], indirect=True)
async def test_a_worker_says_what_the_target_says_in_process(ask: Any, hello: Script) -> None:
    with Replayer(20) as player:
        here = player.play("builtin", TargetRequest("anthropic_messages", REQUEST), hello)
    there = outcome_of(await told(ask, hello))
    assert there == here.outcome
    assert there.text == "Hello"


REQUEST = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}


async def told(asking: Any, spoken: Script, **more: Any) -> dict[str, Any]:
    stage = ResponseRegistry()
    with serving(stage) as base_url:
        url = f"{base_url}/{stage.put(spoken)}"
        said = await asking(protocol="anthropic_messages", base_url=url, request=REQUEST, **more)
    return dict(said)


@pytest.mark.parametrize("ask", ["python:worker_targets:mute"], indirect=True)
async def test_what_a_target_prints_is_no_reply_and_what_it_raises_is_told(
    ask: Any, hello: Script
) -> None:
    said = await told(ask, hello)
    assert said["raised"] == {"type": "ValueError", "message": "no words"}


@pytest.mark.parametrize("ask", ["python:worker_targets:leaves"], indirect=True)
async def test_a_target_cannot_end_its_worker(ask: Any, hello: Script) -> None:
    for _ in range(2):
        assert (await told(ask, hello))["raised"] == {"type": "SystemExit", "message": "5"}


@pytest.mark.parametrize("ask", ["python:worker_targets:chats"], indirect=True)
async def test_a_protocol_that_is_not_spoken_is_told(ask: Any, hello: Script) -> None:
    with pytest.raises(TargetError, match="the target supports openai_chat"):
        outcome_of(await told(ask, hello))


@pytest.mark.parametrize("ask", ["python:worker_targets:missing"], indirect=True)
async def test_a_target_that_is_not_there_is_told_with_every_reply(ask: Any) -> None:
    for _ in range(2):
        with pytest.raises(TargetError, match="has no attribute 'missing'"):
            await ask(ask="hello")


async def test_a_worker_brings_the_harness_and_none_of_its_neighbours() -> None:
    """Run by a Python without site-packages, what is missing is what the harness needs."""
    worker = Path(harness.__file__).parent / "targets/worker.py"
    process = Process([sys.executable, "-I", "-S", str(worker), "builtin"])
    try:
        with pytest.raises(TargetError, match="ModuleNotFoundError: No module named 'pydantic'"):
            await process.ask(ask="hello")
    finally:
        await process.aclose()
