"""The engines: what a cassette says of one is what its lock installs; nothing outlives a story."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from recording import engines
from recording.engines import KINDS, Kind, running

RECORDING = Path(engines.__file__).parent
SERVER = """
import http.server, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""


def kind(*command: str, ready: str = "/health") -> Kind:
    program = Path(sys.executable)
    return Kind(
        "test", "1", "MIT", program, lambda port: [sys.executable, *command, str(port)], ready
    )


@pytest.fixture(autouse=True)
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "BUILD", tmp_path)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_an_engine_answers_inside_the_block_and_is_gone_behind_it() -> None:
    with running(kind("-c", SERVER)) as engine:
        assert engine.url.startswith("http://127.0.0.1:")
        assert alive(engine.pid)
    assert not alive(engine.pid)


def test_an_engine_is_gone_behind_an_error_too() -> None:
    with pytest.raises(ZeroDivisionError), running(kind("-c", SERVER)) as engine:
        raise ZeroDivisionError
    assert not alive(engine.pid)


def test_an_engine_that_does_not_start_is_named_with_its_log(tmp_path: Path) -> None:
    command = "import sys; sys.exit('no model')"
    with (
        pytest.raises(RuntimeError, match=r"did not begin to answer; see .*test\.log"),
        running(kind("-c", command)),
    ):
        pass
    assert "no model" in (tmp_path / "test.log").read_text("utf-8")


def test_the_versions_are_those_of_the_locks() -> None:
    lock = (RECORDING / "requirements.lock").read_text("utf-8")
    version = KINDS["llamacpp"].version
    assert f"xllamacpp=={version.partition('xllamacpp ')[2].rstrip(')')} " in lock
    packages = json.loads((RECORDING / "aimock/package-lock.json").read_text("utf-8"))["packages"]
    assert packages["node_modules/@copilotkit/aimock"]["version"] == KINDS["aimock"].version


def test_no_lock_names_where_packages_come_from() -> None:
    for lock in (RECORDING / "requirements.lock", RECORDING / "aimock/package-lock.json"):
        assert "://" not in lock.read_text("utf-8")
