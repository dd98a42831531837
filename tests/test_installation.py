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
