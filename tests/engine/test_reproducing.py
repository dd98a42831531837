"""The command of a finding on a target that was given as an object works in a new process."""

from __future__ import annotations

import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.engine.reproducing import address_of, scenario_run
from tests.scenario_files import ID, written

if TYPE_CHECKING:
    from types import ModuleType

TARGETS = """
from harness import Outcome

async def listen(call):
    return Outcome()

class Listener:
    async def listen(call):
        return Outcome()

instance = Listener()
made = (lambda: (lambda call: None))()
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module of targets in a working folder of its own."""
    (tmp_path / "my_app.py").write_text(TARGETS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "my_app", raising=False)
    return import_module("my_app")


def test_an_importable_function_has_an_address(module: Any) -> None:
    assert address_of(module.listen) == "python:my_app:listen"
    assert address_of(module.Listener) == "python:my_app:Listener"
    assert address_of(module.Listener.listen) == "python:my_app:Listener.listen"


def test_what_cannot_be_imported_by_name_has_no_address(module: Any) -> None:
    assert address_of(module.instance) is None
    assert address_of(module.made) is None


def test_a_module_outside_the_working_folder_has_no_address(
    module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Like a test module, whose folder only pytest adds to the path."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert address_of(module.listen) is None
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert address_of(module.listen) == "python:my_app:listen"


def test_without_an_address_the_command_is_the_fallback(module: Any) -> None:
    scenario = written(Path("scenarios"))
    run = scenario_run(scenario, module.made, "pytest test_it.py::test_it")
    assert run.finding("text", "fail").reproduce == "pytest test_it.py::test_it"
    assert scenario_run(scenario, module.made).finding("text", "fail").reproduce == ""
    assert scenario_run(scenario, "builtin", "unused").command().endswith("--target builtin")


def test_the_command_reproduces_the_failure(module: Any) -> None:
    run = scenario_run(written(Path("scenarios")), module.listen)
    assert run.target == "listen"
    command = run.finding("text", "fail").reproduce
    assert command == f"harness run {ID} --target python:my_app:listen"
    words = [sys.executable, "-m", *shlex.split(command)]
    completed = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    assert completed.returncode == 1, completed.stderr
    assert f"FAILED {ID}" in completed.stdout
