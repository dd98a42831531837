"""What GitHub's runner reads from a program: annotations on its output, a page in a file.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands

Rules of this file: an annotation is one line of standard output; the page goes to the file the
runner names in ``GITHUB_STEP_SUMMARY``, behind what earlier steps wrote there.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Literal, TypeAlias

from harness.errors import InputError
from harness.reports.files import write_report

Level: TypeAlias = Literal["error", "warning", "notice"]
SHOWN = 10  # annotations of a level in one step; the runner shows no more

_MESSAGE = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_MESSAGE, ":": "%3A", ",": "%2C"}


def annotation(
    level: Level, message: str, title: str, path: Path | None = None, line: int | None = None
) -> str:
    """Return the line that makes an annotation.

    Args:
        level: the severity.
        message: what is wrong; may have several lines.
        title: its heading.
        path: the file it is shown at.
        line: the line of that file, counted from 1.
    """
    properties = {"title": title}
    if path is not None:
        properties["file"] = _from_here(path)
    if path is not None and line:
        properties["line"] = str(line)
    pairs = ",".join(f"{name}={_escaped(value, _PROPERTY)}" for name, value in properties.items())
    return f"::{level} {pairs}::{_escaped(message, _MESSAGE)}"


def write_step(annotations: list[str], page: str, path: Path | None) -> None:
    """Print annotations and add a page to the step's summary.

    Args:
        annotations: the lines that make them.
        page: the page, in Markdown.
        path: a file for the page instead; where the runner names none either, it is printed.

    Raises:
        InputError: the summary cannot be written.
    """
    sys.stdout.write("".join(f"{line}\n" for line in annotations))
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if path is not None or not summary:
        write_report(path, page)
        return
    try:
        with Path(summary).open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(page)
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", path=summary) from error


def code(text: str) -> str:
    """Return a text as code in a cell of a Markdown table."""
    fence = "``" if "`" in text else "`"
    return f"{fence}{text.replace('|', chr(92) + '|')}{fence}" if text else ""


def _escaped(text: str, table: dict[str, str]) -> str:
    return "".join(table.get(character, character) for character in text)


def _from_here(path: Path) -> str:
    """Return a path relative to the working directory, as the repository names it."""
    here = path.absolute()
    return str(here.relative_to(Path.cwd()) if here.is_relative_to(Path.cwd()) else path)
