"""``harness import trace:DSN#ID``: a stored trace of production becomes a scenario."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from harness.cli.import_.files import write_new
from harness.errors import InputError
from harness.streaming.tracing.lookup import find_trace
from harness.streaming.tracing.scenario_draft import dump_scenario

if TYPE_CHECKING:
    from pathlib import Path

TOPIC = "incidents"
_NAME_LENGTH = 80  # characters
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")


def import_trace(address: str, out: Path, *, force: bool = False) -> Path:
    """Write the scenario of one stored trace and return its path.

    Args:
        address: ``DSN#ID``, the ID that of a trace or of a step.
        out: the folder whose ``scenarios/`` is written.
        force: overwrite an existing file.

    Raises:
        InputError: the address names no trace, the trace holds nothing to replay, or the file
            exists already.
    """
    dsn, _, trace_id = address.rpartition("#")
    if not (dsn and trace_id):
        raise InputError("trace: needs a database and an id; write trace:sqlite:///PATH#ID")
    trace = asyncio.run(find_trace(dsn, trace_id))
    name = _NOT_IN_NAMES.sub("_", trace_id)[:_NAME_LENGTH]
    path = out / "scenarios" / trace.protocol / TOPIC / f"{name}.yaml"
    write_new(path, dump_scenario(trace), force=force)
    return path
