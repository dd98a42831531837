"""Which files of a folder a command searches: a project's own, and nothing that git ignores."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from harness.cassettes import save
from harness.cli import main
from harness.project_files import files_below
from tests.cassettes.samples import cassette, hello

if TYPE_CHECKING:
    from pathlib import Path

KEY = "sk-proj-Zq7fT2vLk9WmX4hB8nRc"
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def write(folder: Path, *names: str, text: str = "") -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")


def repository(folder: Path, ignored: str) -> None:
    subprocess.run(["git", "init", "-q", str(folder)], check=True)  # noqa: S603, S607 - a fixed command
    (folder / ".gitignore").write_text(ignored, "utf-8")


def names(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in files_below(folder)]


def test_hidden_folders_and_environments_are_skipped(tmp_path: Path) -> None:
    write(tmp_path, "b.txt", "a/a.txt", ".hidden.txt")
    write(tmp_path, ".venv/x.txt", "env/pyvenv.cfg", "env/lib/x.txt", "node_modules/x.txt")
    assert names(tmp_path) == [".hidden.txt", "a/a.txt", "b.txt"]


def test_a_named_folder_is_searched_whatever_it_is(tmp_path: Path) -> None:
    write(tmp_path, ".mine/pyvenv.cfg", ".mine/a.txt")
    assert names(tmp_path / ".mine") == ["a.txt", "pyvenv.cfg"]


@needs_git
def test_what_git_ignores_is_skipped_also_in_a_repository_below(tmp_path: Path) -> None:
    repository(tmp_path, "build\n*.log\n")
    write(tmp_path, "build/a.txt", "src/a.log", "src/ä b.log", "src/a.txt")
    (tmp_path / "theirs").mkdir()
    repository(tmp_path / "theirs", "dist/\n")
    write(tmp_path, "theirs/dist/a.txt", "theirs/a.txt")
    found = names(tmp_path)
    assert found == [".gitignore", "src/a.txt", "theirs/.gitignore", "theirs/a.txt"]


@needs_git
@pytest.mark.parametrize("folder", ["build", "build/deep"])
def test_an_ignored_folder_that_is_named_is_searched(tmp_path: Path, folder: str) -> None:
    repository(tmp_path, "build\n")
    write(tmp_path, f"{folder}/a.txt")
    assert names(tmp_path / folder) == ["a.txt"]


@pytest.mark.parametrize("error", [OSError(), subprocess.TimeoutExpired("git", 1)])
def test_without_an_answer_from_git_nothing_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    write(tmp_path, "a.log", ".gitignore", text="*.log")
    monkeypatch.setattr(subprocess, "run", fail)
    assert names(tmp_path) == [".gitignore", "a.log"]


@needs_git
@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("audit", "."), "src/key.txt:1: leak"),
        (("check", "."), "src/a.sse: the file is empty"),
        (("replay", "."), "src/a.sse: the file is empty"),
        (("import", "."), "src/a.sse: "),
    ],
)
def test_commands_skip_what_is_not_the_projects_own(
    arguments: tuple[str, ...],
    found: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
) -> None:
    repository(tmp_path, "build\n")
    for folder in ("build", ".venv/lib", ".hidden", "env/lib", "src"):
        write(tmp_path, f"{folder}/a.sse")
        write(tmp_path, f"{folder}/key.txt", text=KEY)
    write(tmp_path, "env/pyvenv.cfg")
    monkeypatch.chdir(tmp_path)
    assert main(arguments) != 0
    shown = capsys.readouterr()
    text = shown.out + shown.err
    assert found in text
    assert not [skip for skip in ("build/", ".venv/", ".hidden/", "env/") if skip in text]


def test_yaml_files_of_a_folder_that_are_not_cassettes_are_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    save(cassette(hello(tmp_path / "made")), tmp_path / "project/cassettes/a.yaml")
    write(tmp_path / "project", "config.yaml", text="name: x\n")
    write(tmp_path / "project", "old.yaml", text="- request:\n    uri: x\n")
    write(tmp_path / "project", "broken.yaml", text="interactions: [\n")
    monkeypatch.chdir(tmp_path / "project")
    assert main(["check", "."]) == 2
    shown = capsys.readouterr().err.splitlines()
    assert [line.partition(":")[0] + ":" + line.split(":")[1] for line in shown[:-1]] == [
        "harness: broken.yaml",
        "harness: old.yaml",
    ]
    assert shown[-1] == "2 bad input, 1 legal"
    assert main(["check", "config.yaml"]) == 2
    assert "config.yaml:1: " in capsys.readouterr().err
