"""The engines: what a cassette says of one is what its lock installs; nothing outlives a story."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from recording import engines
from recording.__main__ import _asked, _turns
from recording.engines import KINDS, Kind
from recording.exchanges import stories
from recording.running import running

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


def test_who_stands_before_an_engine_is_told_where_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    behind = kind("-c", SERVER)._replace(name="behind")
    monkeypatch.setitem(engines.KINDS, "behind", behind)
    told = "import os; print(os.environ['UPSTREAM'], os.environ['WORD'], flush=True)\n"
    before = kind("-c", told + SERVER)._replace(behind="behind", environment={"WORD": "yes"})
    with running(before):
        said = (tmp_path / "test.log").read_text("utf-8")
    assert said.startswith("http://127.0.0.1:")
    assert said.splitlines()[0].endswith("/v1 yes")


def test_what_is_heavy_is_recorded_when_it_is_asked_for() -> None:
    usual = {story.engine for story in stories() if _asked(story, [])}
    assert usual == {name for name, kind in KINDS.items() if not kind.heavy}
    assert {story.engine for story in stories() if _asked(story, ["litellm/"])} == {"litellm"}
    assert {story.engine for story in stories() if _asked(story, ["ai-mock/"])} == {"ai-mock"}


def test_stories_share_a_process_that_starts_slowly_and_no_other() -> None:
    for turn in _turns(stories()):
        [engine] = {story.engine for story in turn}
        told = sum(story.engine == engine for story in stories())
        assert len(turn) == (told if KINDS[engine].shared else 1)
        assert not any(story.plot.killed_after for story in turn if KINDS[engine].shared)


@pytest.mark.parametrize("engine", KINDS)
def test_a_version_is_that_of_its_lock(engine: str) -> None:
    version = KINDS[engine].version.rpartition(" ")[2].rstrip(")")
    lock = RECORDING / engine / "requirements.lock"
    if lock.exists():
        assert f"=={version} " in lock.read_text("utf-8")
        return
    named = json.loads((RECORDING / engine / "package.json").read_text("utf-8"))["dependencies"]
    packages = json.loads((RECORDING / engine / "package-lock.json").read_text("utf-8"))["packages"]
    assert [packages[f"node_modules/{name}"]["version"] for name in named] == [version]
    assert [*named.values()] == [version]


def test_no_lock_names_where_packages_come_from() -> None:
    for lock in RECORDING.glob("*/requirements.lock"):
        assert "://" not in lock.read_text("utf-8")
    for lock in RECORDING.glob("*/package-lock.json"):
        packages = json.loads(lock.read_text("utf-8"))["packages"]
        assert all("resolved" not in package for package in packages.values())
