"""``harness import trace:DSN#ID``: what happened in production becomes a scenario."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from harness.errors import InputError
from harness.reports.files import write_whole
from harness.streaming.traces.finding import find_trace
from harness.streaming.traces.replaying import dump_scenario

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCHEME = "trace:"
TOPIC = "incidents"
_NAME_LENGTH = 80
_NO_NAME = re.compile(r"[^A-Za-z0-9_-]+")


def import_trace(source: str, out: Path, *, force: bool = False) -> Iterator[Path]:
    """Write the scenario of one stored trace and yield its path.

    Args:
        source: ``trace:DSN#ID``.
        out: the folder whose ``scenarios/`` takes it.
        force: overwrite a file that is there.

    Raises:
        InputError: the source names no trace, the trace holds nothing to replay, or the file is
            there already.
    """
    dsn, mark, word = source.removeprefix(SCHEME).rpartition("#")
    if not (dsn and mark and word):
        raise InputError(f"{SCHEME} needs a database and an id; write {SCHEME}sqlite:///PATH#ID")
    trace = asyncio.run(find_trace(dsn, word))
    name = _NO_NAME.sub("_", word)[:_NAME_LENGTH]
    path = out / "scenarios" / trace.protocol / TOPIC / f"{name}.yaml"
    write_new(path, dump_scenario(trace), force=force)
    yield path


def write_new(path: Path, text: str, *, force: bool) -> None:
    """Write a file that is whole or not there.

    Raises:
        InputError: it is there already, or cannot be written.
    """
    refuse_existing(path, force=force)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot be made ({error.strerror})", path=path.parent) from error
    write_whole(path, text)


def refuse_existing(path: Path, *, force: bool) -> None:
    """Refuse to write over a file that nobody gave up.

    Raises:
        InputError: it is there.
    """
    if path.exists() and not force:
        raise InputError("is there already; --force writes it anew", path=path)
