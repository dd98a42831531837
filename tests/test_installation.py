"""The package as users install it: the wheel, its commands, and an environment without extras."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fresh_environment import PROJECT, fresh_environment, required

ROOT = Path(__file__).parent.parent


def run(folder: Path, *command: object) -> subprocess.CompletedProcess[str]:
    """Run a program of a fresh environment, in a folder, without this environment's settings."""
    words = [str(word) for word in command]
    variables = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "COVERAGE"))}
    return subprocess.run(words, cwd=folder, env=variables, capture_output=True, text=True)  # noqa: S603, PLW1510 - our own command, whose exit code is the test


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment into which the wheel is installed, without extras."""
    folder = tmp_path_factory.mktemp("wheel")
    python = fresh_environment(folder / "environment", *required((PROJECT,)) - {PROJECT})
    build = run(ROOT, sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder)
    assert build.returncode == 0, build.stderr
    [wheel] = folder.glob("*.whl")
    pip = (sys.executable, "-m", "pip", "--python", python)
    options = ("--no-deps", "--no-index", "--quiet", "--disable-pip-version-check")
    install = run(folder, *pip, "install", *options, wheel)
    assert install.returncode == 0, install.stderr
    return python.parent


@pytest.mark.parametrize("program", ["harness", "llm-stream-harness"])
def test_both_programs_of_the_wheel_show_the_version(
    installed: Path, tmp_path: Path, program: str
) -> None:
    shown = run(tmp_path, installed / program, "--version")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith("llm-stream-harness 0.")


def test_the_wheel_lists_its_bundled_scenarios(installed: Path, tmp_path: Path) -> None:
    shown = run(tmp_path, installed / "llm-stream-harness", "list", "openai_chat/baseline")
    assert (shown.returncode, "0 with errors" in shown.stderr) == (0, True)
    assert "openai_chat/baseline/text " in shown.stdout


@pytest.fixture(scope="module")
def without_extras(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with this project and pytest, and no extra of either."""
    folder = tmp_path_factory.mktemp("without-extras")
    return fresh_environment(folder / "environment", PROJECT, "pytest")


def run_pytest(python: Path, folder: Path, test: str) -> str:
    """Run one test file and return what pytest prints."""
    (folder / "test_theirs.py").write_text(test, "utf-8")
    shown = run(folder, python, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider")
    return shown.stdout + shown.stderr


UNRELATED = """
import sys

def test_unrelated():
    assert "harness.pytest_plugin" in sys.modules
    heavy = {"pydantic", "yaml", "asyncio", "harness.protocols", "harness.engine"}
    assert not heavy & set(sys.modules)
"""
SCENARIOS = """
import pytest
from harness import Call, Chunk, Outcome, Text

async def listen(call: Call) -> Outcome:
    chunks = (Chunk("text", "Hello, é😀", part=0), Chunk("stop_reason", finish="stop"))
    return Outcome(chunks=chunks, content=(Text(text="Hello, é😀"),), finish="stop")

@pytest.mark.scenarios("openai_chat/baseline/text", target=listen)
def test_scenarios(conformance):
    assert conformance.outcome.text == "Hello, é😀"
    checks = {finding.check for finding in conformance.failures}
    assert ("ending" in checks, "text" in checks) == (True, False)
"""
SNAPSHOT = """
def test_snapshot(outcome_snapshot):
    pass
"""
FUZZ = """
import harness

@harness.fuzz("openai_chat")
async def test_fuzz(call):
    raise AssertionError
"""


@pytest.mark.parametrize(
    ("test", "shown"),
    [
        (UNRELATED, "1 passed"),
        (SCENARIOS, "1 passed"),
        (SNAPSHOT, "outcome_snapshot needs syrupy: pip install 'llm-stream-harness[pytest]'"),
        (FUZZ, "hypothesis is not installed; `pip install 'llm-stream-harness[fuzz]'`"),
    ],
    ids=["unrelated", "scenarios", "snapshot", "fuzz"],
)
def test_the_pytest_plugin_works_without_the_extras(
    without_extras: Path, tmp_path: Path, test: str, shown: str
) -> None:
    assert shown in run_pytest(without_extras, tmp_path, test)


@pytest.mark.parametrize("command", ["run openai_chat/baseline/text", "fuzz", "coverage"])
def test_a_command_without_its_extra_is_2_and_names_it(
    without_extras: Path, tmp_path: Path, command: str
) -> None:
    shown = run(tmp_path, without_extras, "-m", "harness", *command.split())
    assert shown.returncode == 2
    assert "pip install 'llm-stream-harness[" in shown.stderr
    assert shown.stderr.count("\n") == 1
