"""Isolated environments, made by uv from a set of requirements and kept in the user's cache.

A set is ``openai==2.54.0,pydantic-ai==2.68.0``, a file ``./requirements.txt``, or ``current``, the
environment in which the harness itself runs. The worker makes the harness importable in any of
them; of third-party packages it needs pydantic only, as the SDKs do.

An environment gets its final name when it is complete, so one whose making was interrupted is never
used. Its name derives from its requirements and from the Python it was made for. Errors quote the
installer.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from harness.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

CURRENT = "current"
OWN_REQUIREMENT = (
    "pydantic>=2.12"  # what the harness itself imports in a worker (see pyproject.toml)
)
_FORMAT = "2"  # of environments; a new number makes all of them again
_PYTHON = Path("Scripts/python.exe" if os.name == "nt" else "bin/python")
_REQUIREMENTS = "requirements.txt"  # inside an environment: what it was made from
# Lines of uv that are not the reason of its failure.
_PROGRESS = re.compile(r"^(Using |Resolved |Prepared |Downloading |Downloaded |Creating |warning)")


class Requirements(NamedTuple):
    """A set of requirements: its name in reports, and its lines; no lines for ``current``."""

    label: str
    lines: tuple[str, ...] = ()

    def beside(self, others: Requirements) -> Requirements:
        """Return both sets together, under this one's label."""
        return Requirements(self.label, (*others.lines, *self.lines))


def requirements(text: str) -> Requirements:
    """Read a set of requirements.

    Args:
        text: ``current``, requirements with commas between them, or the path of a file of them
            (one with a slash or the ending .txt).

    Raises:
        InputError: the file cannot be read, or nothing is required.
    """
    text = text.strip()
    if text == CURRENT:
        return Requirements(CURRENT)
    if text.endswith(".txt") or "/" in text.partition("@")[0]:
        lines = _file(Path(text))
    else:
        lines = _split(text)
    if not lines:
        raise InputError(f"{text!r} requires nothing; name packages, a file, or {CURRENT!r}")
    return Requirements(text, tuple(lines))


def _split(text: str) -> list[str]:
    """Split at the commas before a name: those before an operator belong to a version."""
    pieces = re.split(r",(?=\s*[A-Za-z])(?![^\[]*\])", text)
    return [piece.strip() for piece in pieces if piece.strip()]


def _file(path: Path) -> list[str]:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"the requirements file cannot be read ({getattr(error, 'strerror', None) or error})",
            path=path,
        ) from None
    joined = re.sub(r"\s*\\\n\s*", " ", text).splitlines()
    lines = [line for line in (re.sub(r"(^|\s)#.*", "", each).strip() for each in joined) if line]
    for line in lines:
        if line.startswith(("-r", "-c", "--requirement", "--constraint")):
            raise InputError(f"{line!r}: write what it includes into the file itself", path=path)
    return lines


def cache_folder() -> Path:
    """Return where environments are kept: ``XDG_CACHE_HOME``, or its default."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "llm-stream-harness" / "environments"


def python_of(wanted: Requirements) -> Path:
    """Return the Python of an environment, which is made if there is none yet.

    Raises:
        InputError: uv is missing, or cannot make it; the message is uv's reason.
    """
    if not wanted.lines:
        return Path(sys.executable)
    path = cache_folder() / _name(wanted.lines)
    if not (path / _PYTHON).exists():
        _make(wanted, path)
    return path / _PYTHON


def is_made(wanted: Requirements) -> bool:
    """Return whether nothing needs to be installed."""
    return not wanted.lines or (cache_folder() / _name(wanted.lines) / _PYTHON).exists()


def prune() -> tuple[int, int]:
    """Remove every environment; returns their number and their size in bytes."""
    folder = cache_folder()
    made = sorted(folder.iterdir()) if folder.is_dir() else []
    size = sum(_size(path) for path in made)
    for path in made:
        shutil.rmtree(path, ignore_errors=True)
    return len(made), size


def _size(path: Path) -> int:
    return sum(file.lstat().st_size for file in path.rglob("*") if file.is_file())


def _name(lines: Iterable[str]) -> str:
    python = f"{sys.implementation.cache_tag} {Path(sys.executable).resolve()}"
    content = "\n".join((_FORMAT, OWN_REQUIREMENT, python, *sorted(lines)))
    return hashlib.sha256(content.encode()).hexdigest()[:20]


def _make(wanted: Requirements, path: Path) -> None:
    """Make an environment in a temporary folder, then rename it; the first process wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=path.parent) as folder:
        made = Path(folder) / "environment"
        note = Path(folder) / _REQUIREMENTS
        note.write_text("".join(f"{line}\n" for line in (*wanted.lines, OWN_REQUIREMENT)), "utf-8")
        _uv(wanted, "venv", "--relocatable", "--python", sys.executable, str(made))
        _uv(wanted, "pip", "install", "--compile-bytecode", "--python", str(made / _PYTHON),
            "--requirements", str(note))  # fmt: skip
        note.replace(made / _REQUIREMENTS)
        try:
            made.rename(path)
        except OSError:
            if not (path / _PYTHON).exists():
                raise


def _uv(wanted: Requirements, *arguments: str) -> None:
    command = [_uv_program(), "--no-progress", "--color", "never", *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - uv, named above
    if run.returncode:
        lines = (line.strip() for line in run.stderr.splitlines())
        reason = " ".join(line for line in lines if line and not _PROGRESS.match(line))
        raise InputError(f"{wanted.label}: cannot be installed: {reason}")


def _uv_program() -> str:
    """Return the path of uv: the one installed beside our Python, or one on the search path."""
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        raise InputError("uv is missing; pip install 'llm-stream-harness[compare]'")
    return found
