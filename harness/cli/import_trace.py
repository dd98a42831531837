"""``harness import trace:DSN#ID``: what happened in production becomes a scenario."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from harness.cli.writing import write_new
from harness.errors import InputError
from harness.streaming.tracing.lookup import find_trace
from harness.streaming.tracing.replaying import dump_scenario

if TYPE_CHECKING:
    from pathlib import Path

SCHEME = "trace:"
TOPIC = "incidents"
_NAME_LENGTH = 80
_NO_NAME = re.compile(r"[^A-Za-z0-9_-]+")


def import_trace(source: str, out: Path, *, force: bool = False) -> Path:
    """Write the scenario of one stored trace and return its path.

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
    return path
