"""A story told through the recorder: until its end was seen, without a gateway's own affairs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.cassettes import load
from recording import __main__ as recording
from recording import engines
from recording.engines import Kind
from recording.exchanges import Plot, Story
from recording.running import running

if TYPE_CHECKING:
    from collections.abc import Callable

# Holds the line after [DONE] until its reader has left, as many times as it is told.
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
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Record a story of a server that holds the line, and return its cassette."""
    monkeypatch.setattr(engines, "BUILD", tmp_path)
    monkeypatch.setattr(recording, "BUILD", tmp_path)
    monkeypatch.setattr(recording, "CASSETTES", tmp_path)
    python = Path(sys.executable)

    def tell(held: int, leaves_after: int | None = None) -> Path:
        def command(port: int) -> list[str]:
            return [sys.executable, "-c", SERVER, str(held), str(port)]

        kind = Kind("test", "1", "MIT", python, command, "/")
        story = Story("a/b", "test", "openai_chat", Plot("hi", leaves_after=leaves_after))
        with running(kind) as engine:
            recording.record(story, kind, engine)
        return tmp_path / "a/b.yaml"

    return tell


def test_a_story_is_told_until_its_end_was_seen(told: Callable[..., Path]) -> None:
    [interaction] = load(told(held=2)).interactions
    assert interaction.response.stream.end == "clean"
    assert interaction.response.body.endswith(b"data: [DONE]\n\n")


def test_a_reader_that_is_to_leave_leaves(told: Callable[..., Path]) -> None:
    [interaction] = load(told(held=1, leaves_after=1)).interactions
    assert interaction.response.stream.end == "client_closed"


def test_an_end_that_never_comes_is_told(
    told: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(recording, "_TELLINGS", 3)
    with pytest.raises(RuntimeError, match="a/b: its end was not seen in 3 tellings"):
        told(held=9)
    assert not (tmp_path / "a/b.yaml").exists()


def test_a_cassette_keeps_neither_a_port_nor_a_gateway_s_affairs(told: Callable[..., Path]) -> None:
    [interaction] = load(told(held=0)).interactions
    assert interaction.request.uri == "http://127.0.0.1:8080/v1/chat/completions"
    names = {name.lower() for name, _ in interaction.response.headers}
    assert "content-type" in names
    assert not any(name.startswith(("x-litellm", "llm_provider")) for name in names)
