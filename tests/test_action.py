"""The GitHub Action and the pre-commit hooks: the commands they run accept their arguments."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.cli.parser import make_parser

ROOT = Path(__file__).parent.parent
ACTION: Any = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
HOOKS: Any = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
INPUTS = {
    "before": "openai==2.54.0",
    "after": "./new requirements.txt",
    "target": "python:my.app:listen; touch owned",
    "select": "openai_chat/** parallel",
    "strict": "true",
}


def called(folder: Path, inputs: dict[str, str]) -> list[str]:
    """Run the action's last step as the runner does; return how harness was called."""
    program = folder / "harness"
    program.write_text('#!/bin/bash\nprintf "%s\\0" "$@"\n')
    program.chmod(0o755)
    step = ACTION["runs"]["steps"][-1]
    variables = {
        name: inputs[value.removeprefix("${{ inputs.").removesuffix(" }}")]
        for name, value in step["env"].items()
    }
    environment = {**variables, "PATH": f"{folder}:{os.environ['PATH']}"}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    run = subprocess.run(command, env=environment, cwd=folder, capture_output=True, check=True)  # noqa: S603 - our own script
    return run.stdout.decode().split("\0")[:-1]


def test_the_action_passes_its_inputs_unchanged(tmp_path: Path) -> None:
    words = called(tmp_path, INPUTS)
    parsed = make_parser().parse_args(words)
    assert parsed.names == [
        "openai_chat/**",
        "parallel",
        "openai==2.54.0",
        "./new requirements.txt",
    ]
    assert parsed.target == "python:my.app:listen; touch owned"
    assert parsed.strict
    assert parsed.report == ["terminal", "github"]
    assert not (tmp_path / "owned").exists()


def test_an_empty_input_is_omitted(tmp_path: Path) -> None:
    words = called(tmp_path, {**INPUTS, "select": "", "strict": "false"})
    parsed = make_parser().parse_args(words)
    assert (parsed.names, parsed.strict) == (["openai==2.54.0", "./new requirements.txt"], False)


def test_every_input_is_used_and_described() -> None:
    text = (ROOT / "action.yml").read_text("utf-8")
    for name, value in ACTION["inputs"].items():
        assert f"inputs.{name} }}}}" in text
        assert value["description"]


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: str(hook["id"]))
def test_a_hook_runs_an_existing_command(hook: dict[str, Any]) -> None:
    program, *words = hook["entry"].split()
    assert program == "harness"
    assert make_parser().parse_args(words).command == words[0]
