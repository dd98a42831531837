"""docs/targets.md: its addresses are those of the code, and its examples run."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.cli import main
from harness.model import Outcome
from harness.targets.addresses import BUILTIN
from harness.targets.base import Call
from harness.targets.stdio import request_of

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[2] / "docs/targets.md"
TEXT = PAGE.read_text("utf-8")


def block(language: str) -> str:
    """Return the one code block of a language."""
    [code] = re.findall(rf"^```{language}[^\n]*\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    return str(code)


@pytest.fixture
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "my_targets.py").write_text(block("python"), "utf-8")
    monkeypatch.chdir(tmp_path)
    yield
    sys.modules.pop("my_targets", None)
    sys.path[:] = [entry for entry in sys.path if entry != str(tmp_path)]


def test_every_built_in_target_has_a_row() -> None:
    named = re.findall(r"^\| `([\w-]+)` \|", TEXT.partition("## A function")[0], re.MULTILINE)
    assert named == list(BUILTIN)


def test_every_field_of_a_call_has_a_row() -> None:
    named = re.findall(r"^\| `(\w+)` \|", TEXT.partition("| field of `Call` |")[2], re.MULTILINE)
    assert named == list(Call.__dataclass_fields__)


@pytest.mark.usefixtures("_project")
def test_the_function_passes_the_scenario_that_the_page_names() -> None:
    [command] = re.findall(r"^harness (run .*)$", TEXT, re.MULTILINE)
    assert main(command.split()) == 0


def test_the_lines_are_a_request_and_its_reply() -> None:
    request, reply = map(json.loads, block("json").splitlines())
    call = Call(**{key: value for key, value in request.items() if key != "id"})
    assert {"id": 7, **request_of(call)} == request
    assert Outcome.model_validate(reply["outcome"]).text == "Hello"
    assert reply["id"] == request["id"]
