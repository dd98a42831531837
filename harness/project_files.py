"""The files of a project: without hidden folders, virtual environments and what git ignores.

A folder that the user names is searched even if it is hidden, ignored or an environment itself:
only what lies below it is skipped.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from shutil import which

_PATIENCE = 30  # seconds for git to list what it ignores
_ENVIRONMENT = "pyvenv.cfg"  # https://docs.python.org/3/library/venv.html
_INSTALLED = frozenset({"__pycache__", "node_modules"})  # never a project's own files


def files_below(folder: Path) -> list[Path]:
    """Return the files of a folder and of the folders below it, in the order of their paths.

    Symbolic links to folders are not followed. Without git, or outside of a repository, ignored
    files are not known and so they are returned.
    """
    found: list[Path] = []
    ignored: set[Path] = set()
    for name, folders, files in os.walk(folder):
        here = Path(name)
        if here == folder or ".git" in folders or ".git" in files:
            ignored |= _ignored_by_git(here)
        folders[:] = [each for each in folders if not _is_skipped(here / each, ignored)]
        found += [here / each for each in files if here / each not in ignored]
    return sorted(found)


def _is_skipped(folder: Path, ignored: set[Path]) -> bool:
    return (
        folder.name.startswith(".")
        or folder.name in _INSTALLED
        or folder in ignored
        or (folder / _ENVIRONMENT).exists()
    )


def _ignored_by_git(folder: Path) -> set[Path]:
    """Return what git ignores below a folder; a folder with ignored files only stands for them.

    It is empty where git cannot be asked, and in a folder that is itself ignored.
    """
    program = which("git")
    if program is None:
        return set()
    listing = ("ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z")
    command = [program, "-c", "core.fsmonitor=false", *listing]
    try:
        result = subprocess.run(  # noqa: S603 - git, with fixed arguments
            command, cwd=folder, capture_output=True, timeout=_PATIENCE, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return set()
    names = map(os.fsdecode, filter(None, result.stdout.split(b"\0")))
    return {folder / name for name in names if name != "./"}
