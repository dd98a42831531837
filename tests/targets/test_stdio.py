"""A target in another process: every fault is reported, and the next request is answered."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.engine.replayer import Replayer
from harness.errors import TargetError
from harness.model import Chunk, Outcome
from harness.protocols import protocol
from harness.sdks.clients import SdkClients
from harness.targets.base import Call
from harness.targets.resolving import resolve
from harness.targets.stdio import Process
from harness.wire.script import Script
from tests.targets.conftest import script

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

OUTCOME = {"chunks": [{"kind": "text", "text": "Hi"}], "ending": "complete", "finish": "stop"}

# A program that knows nothing but JSON lines; it misbehaves on request.
PROGRAM = """
import json, os, sys, time
for line in sys.stdin:
    request = json.loads(line)
    fault = request["request"].get("fault")
    if fault == "exit":
        print("out of coffee", file=sys.stderr)
        os._exit(3)
    if fault == "late":
        time.sleep(60)
    if fault == "text":
        print("hello there", flush=True)
        continue
    reply = {"id": request["id"], "outcome": OUTCOME | {"response_id": str(os.getpid())}}
    if fault == "stale":
        reply["id"] -= 1
    if fault == "error":
        reply = {"id": request["id"], "harness_error": "no such model"}
    if fault == "empty":
        reply = {"id": request["id"]}
    if fault == "invalid":
        reply["outcome"]["ending"] = "happy"
    print(json.dumps(reply), flush=True)
"""


@pytest.fixture
def program(tmp_path: Path) -> str:
    """Return the address of the program."""
    path = tmp_path / "program.py"
    path.write_text(PROGRAM.replace("OUTCOME", repr(OUTCOME)))
    return f"command:{sys.executable} {path}"


@pytest.fixture
async def target(program: str) -> AsyncIterator[Any]:
    target: Any = resolve(program, SdkClients())
    yield target
    await target.aclose()


async def listen(target: Any, **request: Any) -> tuple[list[Chunk], Outcome]:
    listening = target.listen(Call("openai_chat", "http://127.0.0.1:1/7", request))
    async with listening:
        chunks = [chunk async for chunk in listening]
    return chunks, listening.outcome()


async def test_a_reply_is_an_outcome_and_its_chunks(target: Any) -> None:
    chunks, outcome = await listen(target)
    assert chunks == [Chunk("text", text="Hi")]
    assert (outcome.ending, outcome.finish) == ("complete", "stop")


async def test_one_process_answers_request_after_request(target: Any) -> None:
    _, first = await listen(target)
    _, second = await listen(target)
    assert first.response_id == second.response_id


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("exit", r"ended without a reply \(exit code 3\): out of coffee"),
        ("text", "replied with a line that is not JSON: 'hello there'"),
        ("stale", "replied to request 0 instead of 1"),
        ("error", "no such model"),
        ("empty", r"replied with neither outcome nor harness_error, but \['id'\]"),
        ("invalid", "replied with an invalid outcome: ending"),
    ],
)
async def test_an_invalid_reply_is_reported_and_the_next_request_is_answered(
    target: Any, fault: str, message: str
) -> None:
    with pytest.raises(TargetError, match=message):
        await listen(target, fault=fault)
    _, outcome = await listen(target)
    assert outcome.ending == "complete"


async def test_cancelling_the_wait_ends_the_process(
    target: Any,
) -> None:
    waiting = asyncio.create_task(listen(target, fault="late"))
    while target._process._running is None:  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(0.01)
    running = target._process._running
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert running.returncode is not None
    _, outcome = await listen(target)
    assert outcome.ending == "complete"


def test_a_late_reply_is_the_targets_failure(program: str) -> None:
    with Replayer(timeout=0.5) as replayer:
        late = replayer.replay(program, Call("openai_chat", request={"fault": "late"}), Script(()))
        assert late.problem == "did not finish within 0.5 s"
    with Replayer(timeout=20) as replayer:
        assert replayer.replay(program, Call("openai_chat"), Script(())).problem is None


async def test_a_program_that_cannot_be_started_is_reported(tmp_path: Path) -> None:
    process = Process([str(tmp_path)])
    with pytest.raises(TargetError, match=r"cannot be started \(Permission denied\)"):
        await process.ask()


async def test_output_to_standard_error_never_blocks(tmp_path: Path) -> None:
    path = tmp_path / "verbose.py"
    path.write_text(
        "import sys\nfor line in sys.stdin:\n"
        "    sys.stderr.write('x' * 1_000_000)\n"
        "    print(line, end='', flush=True)\n"
    )
    process = Process([sys.executable, str(path)])
    try:
        for number in (1, 2):
            assert await process.ask() == {"id": number}
    finally:
        await process.aclose()


SLOW = """
import time
time.sleep(1.5)

async def slow(call):
    from harness.model import Outcome
    return Outcome(ending="complete", finish="stop")
"""


def test_the_imports_of_a_worker_do_not_count_as_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slow_to_import.py").write_text(SLOW)
    monkeypatch.chdir(tmp_path)
    with Replayer(timeout=1.0) as replayer:
        result = replayer.replay(
            "env:current!python:slow_to_import:slow", Call("openai_chat"), Script(())
        )
    assert result.problem is None
    assert result.outcome.ending == "complete"


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_a_target_in_another_language() -> None:
    address = f"command:node {Path(__file__).with_name('mine.mjs')}"
    stream = [{"content": "Hello"}, {"content": " there"}, {"finish": "stop"}, "done"]
    response = script("openai_chat", stream)
    with Replayer(timeout=20) as replayer:
        result = replayer.replay(
            address, Call("openai_chat", request=protocol("openai_chat").request), response
        )
    assert result.problem is None
    assert result.outcome.text == "Hello there"
