"""The engines: their versions are those of the lock files, and their processes are ended."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from recording import engines
from recording.__main__ import _by_process, _is_selected
from recording.engine_process import run_engine
from recording.engines import ENGINES, Engine
from recording.exchanges import all_exchanges

RECORDING = Path(engines.__file__).parent
SERVER = """
import http.server, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""


def engine_of(*command: str, ready: str = "/health") -> Engine:
    program = Path(sys.executable)
    return Engine(
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


def test_an_engine_runs_inside_the_block_and_is_ended_after_it() -> None:
    with run_engine(engine_of("-c", SERVER)) as engine:
        assert engine.url.startswith("http://127.0.0.1:")
        assert alive(engine.pid)
    assert not alive(engine.pid)


def test_an_engine_is_ended_after_an_error_too() -> None:
    with pytest.raises(ZeroDivisionError), run_engine(engine_of("-c", SERVER)) as engine:
        raise ZeroDivisionError
    assert not alive(engine.pid)


def test_an_engine_that_does_not_start_is_reported_with_its_log(tmp_path: Path) -> None:
    command = "import sys; sys.exit('no model')"
    with (
        pytest.raises(RuntimeError, match=r"did not become ready; see .*test\.log"),
        run_engine(engine_of("-c", command)),
    ):
        pass
    assert "no model" in (tmp_path / "test.log").read_text("utf-8")


def test_a_gateway_gets_the_url_of_the_engine_behind_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    upstream = engine_of("-c", SERVER)._replace(name="upstream")
    monkeypatch.setitem(engines.ENGINES, "upstream", upstream)
    printing = "import os; print(os.environ['UPSTREAM'], os.environ['WORD'], flush=True)\n"
    gateway = engine_of("-c", printing + SERVER)._replace(
        upstream="upstream", environment={"WORD": "yes"}
    )
    with run_engine(gateway):
        log = (tmp_path / "test.log").read_text("utf-8")
    assert log.startswith("http://127.0.0.1:")
    assert log.splitlines()[0].endswith("/v1 yes")


def test_heavy_engines_are_recorded_only_if_named() -> None:
    default = {exchange.engine for exchange in all_exchanges() if _is_selected(exchange, [])}
    assert default == {name for name, engine in ENGINES.items() if not engine.heavy}
    assert {
        exchange.engine for exchange in all_exchanges() if _is_selected(exchange, ["litellm/"])
    } == {"litellm"}
    assert {
        exchange.engine for exchange in all_exchanges() if _is_selected(exchange, ["ai-mock/"])
    } == {"ai-mock"}


def test_exchanges_share_a_process_only_if_the_engine_starts_slowly() -> None:
    for group in _by_process(all_exchanges()):
        [engine] = {exchange.engine for exchange in group}
        count = sum(exchange.engine == engine for exchange in all_exchanges())
        assert len(group) == (count if ENGINES[engine].shares_process else 1)
        assert not any(
            exchange.spec.killed_after for exchange in group if ENGINES[engine].shares_process
        )


@pytest.mark.parametrize("engine", ENGINES)
def test_a_version_is_that_of_the_lock_file(engine: str) -> None:
    version = ENGINES[engine].version.rpartition(" ")[2].rstrip(")")
    lock = RECORDING / engine / "requirements.lock"
    if lock.exists():
        assert f"=={version} " in lock.read_text("utf-8")
        return
    named = json.loads((RECORDING / engine / "package.json").read_text("utf-8"))["dependencies"]
    packages = json.loads((RECORDING / engine / "package-lock.json").read_text("utf-8"))["packages"]
    assert [packages[f"node_modules/{name}"]["version"] for name in named] == [version]
    assert [*named.values()] == [version]


def test_no_lock_file_names_a_package_index() -> None:
    for lock in RECORDING.glob("*/requirements.lock"):
        assert "://" not in lock.read_text("utf-8")
    for lock in RECORDING.glob("*/package-lock.json"):
        packages = json.loads(lock.read_text("utf-8"))["packages"]
        assert all("resolved" not in package for package in packages.values())
