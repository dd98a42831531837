"""Recording one exchange: until its end is recorded, without the headers of a gateway."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.cassettes import load
from recording import __main__ as recording
from recording import engines
from recording.engine_process import run_engine
from recording.engines import Engine
from recording.exchanges import Exchange, RequestSpec

if TYPE_CHECKING:
    from collections.abc import Callable

# Keeps the connection open after [DONE] until the client disconnects, for the first N requests.
SERVER = """
import http.server, json, sys
held = int(sys.argv[1])
chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
chunk["choices"] = [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def do_POST(self):
        global held
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("x-litellm-response-cost", "17.25")
        self.send_header("llm_provider-server", "llama.cpp")
        self.end_headers()
        self.wfile.write(f"data: {json.dumps(chunk)}\\n\\ndata: [DONE]\\n\\n".encode())
        self.wfile.flush()
        if held:
            held -= 1
            self.rfile.read(1)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[2])), Answer).serve_forever()
"""


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Record an exchange with a server that keeps the connection open; return its cassette."""
    monkeypatch.setattr(engines, "BUILD", tmp_path)
    monkeypatch.setattr(recording, "BUILD", tmp_path)
    monkeypatch.setattr(recording, "CASSETTES", tmp_path)
    python = Path(sys.executable)

    def record_once(held: int, aborts_after: int | None = None) -> Path:
        def command(port: int) -> list[str]:
            return [sys.executable, "-c", SERVER, str(held), str(port)]

        engine = Engine("test", "1", "MIT", python, command, "/")
        exchange = Exchange(
            "a/b", "test", "openai_chat", RequestSpec("hi", aborts_after=aborts_after)
        )
        with run_engine(engine) as process:
            recording.record(exchange, engine, process)
        return tmp_path / "a/b.yaml"

    return record_once


def test_an_exchange_is_repeated_until_its_end_is_recorded(record: Callable[..., Path]) -> None:
    [interaction] = load(record(held=2)).interactions
    assert interaction.response.stream.end == "clean"
    assert interaction.response.body.endswith(b"data: [DONE]\n\n")


def test_a_client_that_is_to_disconnect_does(record: Callable[..., Path]) -> None:
    [interaction] = load(record(held=1, aborts_after=1)).interactions
    assert interaction.response.stream.end == "client_closed"


def test_an_end_that_is_never_recorded_is_an_error(
    record: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(recording, "_MAX_ATTEMPTS", 3)
    with pytest.raises(RuntimeError, match="a/b: the end was not recorded in 3 attempts"):
        record(held=9)
    assert not (tmp_path / "a/b.yaml").exists()


def test_a_cassette_has_neither_the_port_nor_the_headers_of_a_gateway(
    record: Callable[..., Path],
) -> None:
    [interaction] = load(record(held=0)).interactions
    assert interaction.request.uri == "http://127.0.0.1:8080/v1/chat/completions"
    names = {name.lower() for name, _ in interaction.response.headers}
    assert "content-type" in names
    assert not any(name.startswith(("x-litellm", "llm_provider")) for name in names)
