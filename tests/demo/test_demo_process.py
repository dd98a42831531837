"""The command: how it starts, fails to start and ends, and how it handles many clients."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys

import httpx2
import pytest

from benchmarks.load import Demo, load_test
from harness.cli import main
from tests.demo.response_events import body, events_of, labels

MANY = 100
QUERY = "model=openai_responses/baseline/text&pace=0.1"
GROWTH = 1.10


def test_ctrl_c_ends_every_stream() -> None:
    events = []
    with httpx2.Client(trust_env=False, timeout=30) as client, Demo() as demo:
        model = "openai_chat/cancellation/silent_provider"
        with client.stream("POST", f"{demo.url}/v1/runs?model={model}") as response:
            for event in events_of(response):
                events.append(event)
                if len(events) == 1:
                    demo.process.send_signal(signal.SIGINT)
        code, errors = demo.end()
    assert labels(events) == ["message", "stop_reason", "done"]
    assert body(events, "stop_reason")["stop_reason"] == "cancelled"
    assert (code, errors.strip()) == (0, "")


def test_a_port_in_use_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "harness", "demo", "--port", port]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)  # noqa: S603 - ours
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"harness: port {port} cannot be opened (Address already in use")
    assert ended.stderr.endswith("; name another with --port\n")


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_a_missing_extra_is_an_error(
    missing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.startswith(("harness.demo", missing))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    assert main(["demo", "--port", "0"]) == 2
    output = capsys.readouterr().err
    assert missing in output
    assert "pip install 'llm-stream-harness[sdks,demo]'" in output


def test_a_missing_sdk_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "anthropic", None)
    assert main(["demo", "--port", "0"]) == 2
    output = capsys.readouterr().err
    assert "demo/anthropic_messages needs anthropic: pip install" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--runs", "postgres:/nowhere?sslmod=off"], "sslmode"),
        (["--traces", "unknown:home"], "unknown trace backend"),
        (["--redis", "http://localhost"], "write it as redis://host:port/db"),
    ],
)
def test_invalid_arguments_are_an_error_before_it_listens(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--port", "0", *arguments]) == 2
    output = capsys.readouterr()
    assert message in output.err
    assert output.out == ""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
async def test_many_concurrent_streams_lose_nothing_and_leak_nothing(demo: Demo) -> None:
    """benchmarks/demo.py runs 1,000; the first batch warms up the allocators."""
    first = await load_test(demo, MANY, QUERY)
    before = demo.resident
    second = await load_test(demo, MANY, QUERY)
    assert (first.lost, second.lost) == ([], [])
    assert len(second.streams) == second.most_at_once == MANY
    assert demo.resident / before < GROWTH
