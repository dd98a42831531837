"""Isolated environments, made by uv from a set of requirements and kept under the user's cache.

A set is ``openai==2.54.0,pydantic-ai==2.68.0``, a file ``./requirements.txt``, or ``current``, the
environment the harness itself runs in. The worker brings the harness along, which needs pydantic
and nothing else; the SDKs need it, too.

Rules of this file: an environment has its final name only once it is whole, so one that was killed
while being made is never used; it is named by the content of its requirements and by the Python it
was made for; what goes wrong is told in the installer's own words.
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
OURS = "pydantic>=2.12"  # what the harness itself imports in a worker (see pyproject.toml)
_FORM = "2"  # of what is made below; another one makes new environments
_PYTHON = Path("Scripts/python.exe" if os.name == "nt" else "bin/python")
_NOTE = "requirements.txt"  # inside an environment: what it was made from
# What uv says besides its reason.
_BESIDES = re.compile(r"^(Using |Resolved |Prepared |Downloading |Downloaded |Creating |warning)")


class Requirements(NamedTuple):
    """A set of requirements: how reports call it, and its lines; none for ``current``."""

    label: str
    lines: tuple[str, ...] = ()

    def beside(self, others: Requirements) -> Requirements:
        """Return both sets together, under this one's label."""
        return Requirements(self.label, (*others.lines, *self.lines))


def requirements(words: str) -> Requirements:
    """Read a set of requirements.

    Args:
        words: ``current``, requirements with commas between them, or the path of a file of them
            (one with a slash or the ending .txt).

    Raises:
        InputError: the file cannot be read, or nothing is required.
    """
    words = words.strip()
    if words == CURRENT:
        return Requirements(CURRENT)
    if words.endswith(".txt") or "/" in words.partition("@")[0]:
        lines = _file(Path(words))
    else:
        lines = _split(words)
    if not lines:
        raise InputError(f"{words!r} requires nothing; name packages, a file, or {CURRENT!r}")
    return Requirements(words, tuple(lines))


def _split(words: str) -> list[str]:
    """Split at the commas before a name: those before an operator belong to a version."""
    pieces = re.split(r",(?=\s*[A-Za-z])(?![^\[]*\])", words)
    return [piece.strip() for piece in pieces if piece.strip()]


def _file(path: Path) -> list[str]:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the requirements cannot be read ({error})", path=path) from None
    whole = re.sub(r"\s*\\\n\s*", " ", text).splitlines()
    lines = [line for line in (re.sub(r"(^|\s)#.*", "", each).strip() for each in whole) if line]
    for line in lines:
        if line.startswith(("-r", "-c", "--requirement", "--constraint")):
            raise InputError(f"{line!r}: write what it includes into the file itself", path=path)
    return lines


def cache_folder() -> Path:
    """Return where environments are kept: ``XDG_CACHE_HOME``, or its default."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "llm-stream-harness" / "environments"


def python_of(wanted: Requirements) -> Path:
    """Return the Python of an environment, which is made where there is none yet.

    Raises:
        InputError: uv is missing, or cannot make it; the message is uv's own reason.
    """
    if not wanted.lines:
        return Path(sys.executable)
    place = cache_folder() / _name(wanted.lines)
    if not (place / _PYTHON).exists():
        _make(wanted, place)
    return place / _PYTHON


def is_made(wanted: Requirements) -> bool:
    """Say whether nothing is left to install."""
    return not wanted.lines or (cache_folder() / _name(wanted.lines) / _PYTHON).exists()


def prune() -> tuple[int, int]:
    """Remove every environment; returns how many there were, and their bytes."""
    folder = cache_folder()
    made = sorted(folder.iterdir()) if folder.is_dir() else []
    size = sum(_size(place) for place in made)
    for place in made:
        shutil.rmtree(place, ignore_errors=True)
    return len(made), size


def _size(place: Path) -> int:
    return sum(file.lstat().st_size for file in place.rglob("*") if file.is_file())


def _name(lines: Iterable[str]) -> str:
    python = f"{sys.implementation.cache_tag} {Path(sys.executable).resolve()}"
    content = "\n".join((_FORM, OURS, python, *sorted(lines)))
    return hashlib.sha256(content.encode()).hexdigest()[:20]


def _make(wanted: Requirements, place: Path) -> None:
    """Make an environment beside its place, then move it there; whoever is first wins."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=place.parent) as folder:
        made = Path(folder) / "environment"
        note = Path(folder) / _NOTE
        note.write_text("".join(f"{line}\n" for line in (*wanted.lines, OURS)), "utf-8")
        _uv(wanted, "venv", "--relocatable", "--python", sys.executable, str(made))
        _uv(wanted, "pip", "install", "--compile-bytecode", "--python", str(made / _PYTHON),
            "--requirements", str(note))  # fmt: skip
        note.replace(made / _NOTE)
        try:
            made.rename(place)
        except OSError:
            if not (place / _PYTHON).exists():
                raise


def _uv(wanted: Requirements, *arguments: str) -> None:
    command = [_uv_program(), "--no-progress", "--color", "never", *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - uv, named above
    if run.returncode:
        said = (line.strip() for line in run.stderr.splitlines())
        reason = " ".join(line for line in said if line and not _BESIDES.match(line))
        raise InputError(f"{wanted.label}: cannot be installed: {reason}")


def _uv_program() -> str:
    """Return uv's program: the one installed beside us, or one on the path."""
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        raise InputError("uv is missing; pip install 'llm-stream-harness[compare]'")
    return found
