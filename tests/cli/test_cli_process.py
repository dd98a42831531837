"""The commands as processes: signals, pipes, encodings, and the loopback provider."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from harness.protocols.events import events_of
from tests.scenario_files import HELLO, ID, write, write_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE = 30  # seconds for a whole process on a busy machine
TARGETS = """
import asyncio, os, pathlib, time
from harness.model import Chunk, Outcome, Text

async def slow(call):
    if pathlib.Path("called").exists():
        pathlib.Path("waiting").touch()
        await asyncio.sleep(60)
    pathlib.Path("called").touch()
    return Outcome(content=(Text(text="Hello there"),))

async def waits(call):
    pathlib.Path("pid").write_text(str(os.getpid()))
    pathlib.Path("waiting").touch()
    await asyncio.sleep(60)

async def blocked(call):
    pathlib.Path("waiting").touch()
    time.sleep(3)
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    write(tmp_path / "scenarios")
    write(tmp_path / "scenarios", "anthropic_messages/text/second")
    (tmp_path / "slow_targets.py").write_text(TARGETS, "utf-8")
    return tmp_path


def start(*arguments: str, **given: Any) -> subprocess.Popen[str]:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **given}
    command = [sys.executable, "-m", "harness", *arguments]
    return subprocess.Popen(command, text=True, **pipes)  # noqa: S603 - our own command


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    """Wait until a target has written a file."""
    while not path.exists():
        assert process.poll() is None, process.communicate()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.02)


def test_the_module_is_the_command() -> None:
    process = start("list", "--json")
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert [json.loads(line)["id"] for line in out.splitlines()] == [
        ID,
        "anthropic_messages/text/second",
    ]
    assert err == "2 scenarios, 0 with errors\n"


PROGRAM = """
import json, os, pathlib, sys, time
pathlib.Path("pid").write_text(str(os.getpid()))
for number, line in enumerate(sys.stdin):
    if number:
        pathlib.Path("waiting").touch()
        time.sleep(60)
    print(json.dumps({"id": json.loads(line)["id"], "outcome": {}}), flush=True)
"""


def test_ctrl_c_reports_what_was_compared_and_ends_every_process(here: Path) -> None:
    (here / "program.py").write_text(PROGRAM, "utf-8")
    command = f"command:{sys.executable} program.py"
    process = start("compare", command, command, "--timeout", "60", "--json")
    wait_for(here / "waiting", process)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    summary = json.loads(out.splitlines()[-1])["summary"]
    assert (summary["interrupted"], summary["compared"]) == (True, 1)
    with pytest.raises(ProcessLookupError):
        os.kill(int((here / "pid").read_text()), 0)


def test_ctrl_c_reports_what_was_checked(here: Path) -> None:
    arguments = ("run", "--target", "python:slow_targets:slow", "--timeout", "60", "--report")
    process = start(*arguments, "jsonl", "--report", "junit=junit.xml")
    wait_for(here / "waiting", process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    lines = [json.loads(line) for line in out.splitlines()]
    assert {line.get("scenario") for line in lines[:-1]} == {ID}
    assert lines[-1]["summary"]["checked"] == 1
    assert lines[-1]["summary"]["interrupted"] is True
    assert (here / "junit.xml").exists()
    assert err == ""


def test_ctrl_c_interrupts_a_run_whose_target_blocks(here: Path) -> None:
    process = start("run", "--target", "python:slow_targets:blocked", "--timeout", "60")
    wait_for(here / "waiting", process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "interrupted after 0 of 2 pairs" in out
    assert err == ""


def test_ctrl_c_ends_the_workers_of_a_run(here: Path) -> None:
    words = ("--target", "python:slow_targets:waits", "--timeout", "60", "--workers", "2")
    process = start("run", *words)
    wait_for(here / "waiting", process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "interrupted after 0 of 2 pairs" in out
    assert err == ""
    with pytest.raises(ProcessLookupError):
        os.kill(int((here / "pid").read_text()), 0)


def test_a_closed_output_pipe_is_141_without_a_traceback(here: Path) -> None:
    for number in range(200):
        write(here / "scenarios", f"anthropic_messages/many/n{number}", title="x" * 500)
    process = start("list")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(PATIENCE) == 141
    assert process.stderr.read() == ""
    process.stderr.close()


def test_an_ascii_terminal_gets_escapes(here: Path) -> None:
    write(here / "scenarios", ID, title="Grüße 😀")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    process = start("list", "hello", env=environment)
    out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert out == f"{ID}  Gr\\xfc\\xdfe \\U0001f600\n"


@pytest.fixture
def served(here: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    write_text(here / "scenarios", "bad/malformed", "[")
    process = start("serve")
    assert process.stdout is not None
    assert process.stderr is not None
    first = process.stdout.readline()
    assert first.startswith("2 scenarios at http://127.0.0.1:")
    yield process, first.split()[3].rstrip(";")
    process.kill()
    process.communicate()


def test_serve_sends_a_scenario_to_any_client_until_ctrl_c(
    served: tuple[subprocess.Popen[str], str],
) -> None:
    process, base_url = served
    with (
        httpx2.Client(trust_env=False) as client,
        client.stream("POST", f"{base_url}/{ID}/v1/messages", json={}) as response,
    ):
        assert response.headers["content-type"] == "text/event-stream"
        events = list(events_of(response.iter_raw()))
    assert len(events) == len(HELLO["stream"])
    assert events[-1].name == "message_stop"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert err == "harness: scenarios/bad/malformed.yaml:2: " + err.partition(":2: ")[2]
    assert "Traceback" not in err


def test_serve_names_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start("serve", "--port", str(port))
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert err.startswith(f"harness: cannot listen on port {port} (Address already in use")
    assert err.endswith("; name another with --port\n")
