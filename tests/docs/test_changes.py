"""The fragments in changes/: their names, and that towncrier makes a changelog of them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FRAGMENTS = sorted(path for path in (ROOT / "changes").iterdir() if path.name != "README.md")
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["towncrier"]
TYPES = {kind["directory"]: kind["name"] for kind in SETTINGS["type"]}
NAME = re.compile(rf"(?:\d+|\+[a-z][a-z0-9-]*)\.({'|'.join(TYPES)})(?:\.\d+)?\.md")


def towncrier(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run ``towncrier build`` for a folder, as a release does."""
    command = [sys.executable, "-m", "towncrier", "build", "--dir", str(folder), *options]
    release = ["--version", "9.8.7", "--date", "2030-01-02"]
    return subprocess.run([*command, *release], capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what towncrier reads and writes."""
    shutil.copytree(ROOT / "changes", tmp_path / "changes")
    for name in ("pyproject.toml", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


@pytest.mark.parametrize("path", FRAGMENTS, ids=lambda path: path.name)
def test_a_fragment_has_a_valid_name_and_names_what_it_concerns(path: Path) -> None:
    assert NAME.fullmatch(path.name), "write ISSUE.TYPE.md or +WORDS.TYPE.md; see changes/README.md"
    assert re.match(r"\*\*[^*\n]+\*\*", path.read_text("utf-8")), "begin with **what it concerns**"


def test_the_readme_explains_every_type() -> None:
    explained = re.findall(
        r"^\| `(\w+)` \|", (ROOT / "changes" / "README.md").read_text("utf-8"), re.MULTILINE
    )
    assert explained == list(TYPES)


def test_a_draft_shows_every_fragment() -> None:
    draft = towncrier(ROOT, "--draft")
    assert draft.returncode == 0, draft.stderr
    assert "## 9.8.7 (2030-01-02)" in draft.stdout
    shown = " ".join(draft.stdout.split())
    missing = [p.name for p in FRAGMENTS if " ".join(p.read_text("utf-8").split()) not in shown]
    assert missing == []


def test_a_release_moves_the_fragments_into_the_changelog(project: Path) -> None:
    (project / "changes" / "7.removed.md").write_text("**`harness sing`** is gone.\n", "utf-8")
    build = towncrier(project, "--yes")
    assert build.returncode == 0, build.stderr
    assert [path.name for path in (project / "changes").iterdir()] == ["README.md"]
    head, _, releases = (project / "CHANGELOG.md").read_text("utf-8").partition("start here -->\n")
    assert head.startswith("# Changelog\n")
    assert releases.lstrip().startswith("## 9.8.7 (2030-01-02)\n")
    assert "### Removed\n\n- **`harness sing`** is gone. (issue 7)\n" in releases


@pytest.mark.parametrize("name", ["7.improved.md", "notes.md", "seven.added.md"])
def test_a_fragment_with_a_wrong_name_fails_the_build(project: Path, name: str) -> None:
    (project / "changes" / name).write_text("**Something** is new.\n", "utf-8")
    build = towncrier(project, "--draft")
    assert build.returncode != 0
    assert name.removesuffix(".added.md") in build.stderr
