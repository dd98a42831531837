"""One stored trace by its id or its step's, from a database that is only read.

Rules of this file: a wrong address changes nothing: no file is made, no table, no journal; whatever
a driver raises becomes one line that names the database, without its password, and the cure.
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


async def find_trace(dsn: str, word: str) -> ProviderTrace:
    """Return a trace.

    Args:
        dsn: ``sqlite:///PATH``, ``postgresql://…``, or the path of a SQLite file.
        word: the id of the trace, or of the step it was written for; the newest of a step's.

    Raises:
        InputError: the address is at fault, the database cannot be read, or holds no such trace.
    """
    traces = DatabaseTraces(open_database(_readable(dsn), SCHEMA.existing()))
    try:
        found = await traces.find(word)
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{traces.name}: {_words(error)}") from error
    finally:
        await traces.aclose()
    if found is None:
        raise InputError(f"{traces.name} holds no trace and no step {word!r}")
    return found


def _readable(dsn: str) -> str:
    """Return the whole DSN of a database that may be read; a file must be there already."""
    scheme = _SCHEME.match(dsn)
    if scheme is None:
        dsn = f"{_SQLITE}{quote(dsn)}"
    elif scheme[0][:-1] in BACKENDS.keys() - DATABASES.keys():
        raise InputError(
            f"{scheme[0][:-1]} takes traces and gives none back; name the sqlite:/// or "
            "postgresql:// that keeps them"
        )
    if dsn.startswith(_SQLITE):
        path = Path(unquote(dsn.removeprefix(_SQLITE).partition("?")[0]))
        if not path.is_file():
            raise InputError("no such SQLite file", path=path)
    return dsn


def _words(error: Exception) -> str:
    words = " ".join(str(error).split())
    if _NO_TABLE.search(words):
        return "holds no traces; is it the database that HARNESS_TRACES names?"
    return words if isinstance(error, HarnessError) else f"cannot be read ({words})"
