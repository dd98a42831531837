"""The recipes of CONTRIBUTING.md work: each is followed, step by step, in a copy of the tree."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
_BLOCK = re.compile(r"^```(\w+)(?: title=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Step(NamedTuple):
    """One block of a recipe: a file to write, an edit of one, or a command with its output."""

    kind: str
    path: str
    text: str


def recipes() -> dict[str, list[Step]]:
    """Return the blocks of each section that has any."""
    sections = re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]
    found = {
        section.partition("\n")[0]: [Step(*groups) for groups in _BLOCK.findall(section)]
        for section in sections
    }
    return {title: steps for title, steps in found.items() if steps}


def edit(path: Path, diff: str) -> None:
    """Replace the lines behind ``-`` by those behind ``+``."""
    lines = diff.splitlines()
    old = "".join(f"{line[1:]}\n" for line in lines if line.startswith("-"))
    new = "".join(f"{line[1:]}\n" for line in lines if line.startswith("+"))
    text = path.read_text("utf-8")
    assert text.count(old) == 1, f"{path.name} holds these lines {text.count(old)} times:\n{old}"
    path.write_text(text.replace(old, new), "utf-8")


def matches(printed: str, expected: str) -> bool:
    """Return whether a text is the expected one, in which ``…`` stands for any text."""
    pattern = ".*".join(re.escape(piece) for piece in expected.split("…"))
    return re.fullmatch(pattern, printed, re.DOTALL) is not None


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("harness", "scenarios", "docs"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def run(tree: Path, text: str) -> None:
    command, _, expected = text.removeprefix("$ harness ").partition("\n")
    done = subprocess.run(  # noqa: S603 - the commands of our own page
        [sys.executable, "-m", "harness", *command.split()],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert matches(done.stdout, expected), f"{command}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("title", recipes())
def test_a_recipe_works_as_it_is_written(title: str, tree: Path) -> None:
    for step in recipes()[title]:
        path = tree / step.path
        if step.kind == "console":
            run(tree, step.text)
        elif step.kind == "diff":
            edit(path, step.text)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.text, "utf-8")


def test_every_kind_of_contribution_has_a_recipe() -> None:
    titles = re.findall(r"^### (.*)$", PAGE, re.MULTILINE)
    wanted = [
        "A scenario",
        "A target",
        "A check key",
        "A report",
        "A format of other tools' recordings",
    ]
    assert set(wanted) <= set(recipes())
    assert {"A protocol", "An invariant", "An SDK upgrade"} <= set(titles)


def test_every_named_file_exists() -> None:
    written = {step.path for steps in recipes().values() for step in steps}
    prose = _BLOCK.sub("", PAGE)
    names = set(re.findall(r"`((?:harness|tests|recording|scenarios)/[\w/.]+)`", prose))
    missing = [name for name in names - written if not (ROOT / name).exists()]
    assert not missing


@pytest.mark.parametrize(("printed", "expected"), [("a\nb\n", "a\n…\n"), ("1 pass\n", "… pass\n")])
def test_an_ellipsis_stands_for_any_text(printed: str, expected: str) -> None:
    assert matches(printed, expected)
    assert not matches(f"x{printed}y", expected.replace("…", "q"))


def test_an_edit_that_does_not_apply_fails(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n", "utf-8")
    with pytest.raises(AssertionError, match=r"a\.py holds these lines 0 times"):
        edit(tmp_path / "a.py", "-y = 1\n+y = 2\n")
