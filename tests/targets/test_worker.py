"""The Python worker: a target delivers in another process what it delivers in this one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import harness
from harness.engine.replayer import Replayer
from harness.errors import TargetError
from harness.playback.response_registry import ResponseRegistry
from harness.playback.server import serving
from harness.targets.addresses import process_of
from harness.targets.base import Call
from harness.targets.stdio import Process, outcome_of
from tests.targets.conftest import script as script_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from harness.wire.script import Script

TARGETS = """
from harness.model import Outcome
print("imported", flush=True)

async def raises(call):
    print("listening")
    raise ValueError("no model")

async def chat_only(call):
    return Outcome(ending="complete")
chat_only.protocols = ("openai_chat",)

async def exits(call):
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
    return script_of("anthropic_messages", STREAM)


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "worker_targets.py").write_text(TARGETS)
    monkeypatch.chdir(tmp_path)
    yield
    sys.modules.pop("worker_targets", None)
    sys.path[:] = [entry for entry in sys.path if entry != str(tmp_path)]


@pytest.fixture
async def ask(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """Return the ``ask`` of a worker for the target that the test names."""
    process = process_of(request.param)
    yield process.ask
    await process.aclose()


@pytest.mark.parametrize("ask", ["builtin"], indirect=True)
async def test_a_worker_delivers_what_the_target_delivers_in_process(
    ask: Any, hello: Script
) -> None:
    with Replayer(20) as replayer:
        here = replayer.replay("builtin", Call("anthropic_messages", request=REQUEST), hello)
    there = outcome_of(await reply_to(ask, hello))
    assert there == here.outcome
    assert there.text == "Hello"


REQUEST = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}


async def reply_to(ask: Any, script: Script, **more: Any) -> dict[str, Any]:
    registry = ResponseRegistry()
    with serving(registry) as base_url:
        url = f"{base_url}/{registry.register(script)}"
        reply = await ask(protocol="anthropic_messages", base_url=url, request=REQUEST, **more)
    return dict(reply)


@pytest.mark.parametrize("ask", ["python:worker_targets:raises"], indirect=True)
async def test_output_of_a_target_is_not_a_reply_and_its_exception_is_reported(
    ask: Any, hello: Script
) -> None:
    reply = await reply_to(ask, hello)
    assert reply["raised"] == {"type": "ValueError", "message": "no model"}


@pytest.mark.parametrize("ask", ["python:worker_targets:exits"], indirect=True)
async def test_a_target_cannot_exit_its_worker(ask: Any, hello: Script) -> None:
    for _ in range(2):
        assert (await reply_to(ask, hello))["raised"] == {"type": "SystemExit", "message": "5"}


@pytest.mark.parametrize("ask", ["python:worker_targets:chat_only"], indirect=True)
async def test_an_unsupported_protocol_is_reported(ask: Any, hello: Script) -> None:
    with pytest.raises(TargetError, match="the target supports openai_chat"):
        outcome_of(await reply_to(ask, hello))


@pytest.mark.parametrize("ask", ["python:worker_targets:missing"], indirect=True)
async def test_a_missing_target_is_reported_with_every_reply(ask: Any) -> None:
    for _ in range(2):
        with pytest.raises(TargetError, match="has no attribute 'missing'"):
            await ask(ask="hello")


async def test_a_worker_makes_only_the_harness_importable() -> None:
    """Run by a Python without site-packages, it lacks exactly what the harness needs."""
    worker = Path(harness.__file__).parent / "targets/worker.py"
    process = Process([sys.executable, "-I", "-S", str(worker), "builtin"])
    try:
        with pytest.raises(TargetError, match="ModuleNotFoundError: No module named 'pydantic'"):
            await process.ask(ask="hello")
    finally:
        await process.aclose()
