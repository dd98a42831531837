"""Reads one stored trace, by its id or the id of its step.

Rules of this file: the database is only read; a wrong address creates no file, no table and no
journal; an exception of a driver becomes one line that names the database, without its password,
and what to do.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from harness.errors import HarnessError, InputError
from harness.streaming.databases.database import DATABASES, open_database
from harness.streaming.tracing.configuration import BACKENDS
from harness.streaming.tracing.database import SCHEMA, DatabaseTraces

if TYPE_CHECKING:
    from harness.streaming.tracing.trace import ProviderTrace

_SQLITE = "sqlite:///"
_SCHEME = re.compile(r"[a-z+]+:")
_NO_TABLE = re.compile(r"no such table|relation .* does not exist")


async def find_trace(dsn: str, trace_or_step_id: str) -> ProviderTrace:
    """Return a trace.

    Args:
        dsn: ``sqlite:///PATH``, ``postgresql://…``, or the path of a SQLite file.
        trace_or_step_id: the id of the trace, or of its step; a step's newest trace is returned.

    Raises:
        InputError: the DSN is not valid, the database cannot be read, or has no such trace.
    """
    traces = DatabaseTraces(open_database(_readable(dsn), SCHEMA.existing()))
    try:
        trace = await traces.find(trace_or_step_id)
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{traces.name}: {_message(error)}") from error
    finally:
        await traces.aclose()
    if trace is None:
        raise InputError(f"{traces.name} has no trace and no step {trace_or_step_id!r}")
    return trace


def _readable(dsn: str) -> str:
    """Return the DSN of a database that can be read; a SQLite file must exist."""
    scheme = _SCHEME.match(dsn)
    if scheme is None:
        dsn = f"{_SQLITE}{quote(dsn)}"
    elif scheme[0][:-1] in BACKENDS.keys() - DATABASES.keys():
        raise InputError(
            f"{scheme[0][:-1]} is a write-only trace backend; name the sqlite:/// or postgresql:// "
            "database that stores the traces"
        )
    if dsn.startswith(_SQLITE):
        path = Path(unquote(dsn.removeprefix(_SQLITE).partition("?")[0]))
        if not path.is_file():
            raise InputError("no such SQLite file", path=path)
    return dsn


def _message(error: Exception) -> str:
    message = " ".join(str(error).split())
    if _NO_TABLE.search(message):
        return "has no traces; is it the database that HARNESS_TRACES names?"
    return message if isinstance(error, HarnessError) else f"cannot be read ({message})"
