"""The command itself: how it starts, refuses to, ends, and what many clients at once do to it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys

import httpx2
import pytest

from benchmarks.load import Demo, load_test
from harness.cli import main
from tests.demo.reading import body, frames_of, labels

MANY = 100
QUERY = "model=openai_responses/baseline/text&pace=0.1"
GROWTH = 1.10


def test_ctrl_c_ends_every_stream_first() -> None:
    frames = []
    with httpx2.Client(trust_env=False, timeout=30) as client, Demo() as demo:
        model = "openai_chat/cancellation/silent_provider"
        with client.stream("POST", f"{demo.url}/v1/runs?model={model}") as response:
            for frame in frames_of(response):
                frames.append(frame)
                if len(frames) == 1:
                    demo.process.send_signal(signal.SIGINT)
        code, complaints = demo.end()
    assert labels(frames) == ["message", "stop_reason", "done"]
    assert body(frames, "stop_reason")["stop_reason"] == "cancelled"
    assert (code, complaints.strip()) == (0, "")


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "harness", "demo", "--port", port]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)  # noqa: S603 - ours
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"harness: port {port} cannot be had (Address already in use")
    assert ended.stderr.endswith("; name another with --port\n")


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_an_extra_that_is_missing_is_named(
    missing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.startswith(("harness.demo", missing))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    assert main(["demo", "--port", "0"]) == 2
    said = capsys.readouterr().err
    assert missing in said
    assert "pip install 'llm-stream-harness[sdks,demo]'" in said


def test_an_sdk_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "anthropic", None)
    assert main(["demo", "--port", "0"]) == 2
    said = capsys.readouterr().err
    assert "demo/anthropic_messages needs anthropic: pip install" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--runs", "postgres:/nowhere?sslmod=off"], "sslmode"),
        (["--traces", "carrier-pigeon:home"], "unknown trace backend"),
        (["--redis", "http://localhost"], "write it as redis://host:port/db"),
    ],
)
def test_what_is_wrong_with_the_arguments_is_said_before_it_listens(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--port", "0", *arguments]) == 2
    said = capsys.readouterr()
    assert says in said.err
    assert said.out == ""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
async def test_many_streams_at_once_lose_nothing_and_leave_nothing(demo: Demo) -> None:
    """The thousand are in benchmarks/demo.py; the first batch shows allocators what is needed."""
    first = await load_test(demo, MANY, QUERY)
    before = demo.resident
    second = await load_test(demo, MANY, QUERY)
    assert (first.lost, second.lost) == ([], [])
    assert len(second.streams) == second.most_at_once == MANY
    assert demo.resident / before < GROWTH
