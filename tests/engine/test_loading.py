"""What one scenario loads: a run imports what it needs, and nothing for the sake of others."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

MODULES = 90  # of ours, for one scenario on the built-in target
# The full-stack sweep and what it runs through; recordings, and the scrubbing of secrets in them.
UNUSED = (
    "harness.aborting.",
    "harness.cassettes",
    "harness.comparing",
    "harness.fuzzing",
    "harness.simulation",
    "harness.streaming.adapter",
    "harness.streaming.databases",
    "harness.streaming.request_sanitizing",
    "harness.streaming.serving",
    "harness.streaming.tracing",
    "hypothesis",
    "psycopg",
    "redis",
)
RUN = """
import contextlib, io, json, sys
from harness.cli import main
with contextlib.redirect_stdout(io.StringIO()):
    code = main(["run", "openai_responses/baseline/text", "--target", "builtin"])
print(json.dumps([code, sorted(sys.modules)]))
"""


@pytest.fixture(scope="module")
def loaded() -> list[str]:
    """The modules that are loaded when one scenario has been run."""
    command = [sys.executable, "-c", RUN]
    completed = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own code
    code, modules = json.loads(completed.stdout)
    assert code == 0
    return list(modules)


def test_one_scenario_loads_few_modules(loaded: list[str]) -> None:
    ours = [name for name in loaded if name.partition(".")[0] == "harness"]
    assert len(ours) <= MODULES, ours


@pytest.mark.parametrize("prefix", UNUSED)
def test_one_scenario_does_not_load(prefix: str, loaded: list[str]) -> None:
    assert [name for name in loaded if name.startswith(prefix)] == []


def test_the_run_was_a_real_one(loaded: list[str]) -> None:
    assert {"harness.aborting", "harness.targets.builtin", "openai"} <= set(loaded)
