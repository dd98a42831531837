"""Trace backends from configuration: DSNs, separated by commas.

===================================  ==============================================================
``sqlite:///traces.db``              and ``postgresql://…``: see databases/database.py
``unix:///run/collector.sock``       a collector on this machine; ``?queue=RECORDS&flush=SECONDS``
``otlp:http://localhost:4318``       an OpenTelemetry collector; ``?timeout=SECONDS&service=NAME``
===================================  ==============================================================

Rules of this file: DSNs are trimmed and empty ones ignored; a word nobody knows is refused with the
nearest known one, never taken for a default (defect D88); a DSN that is at fault stops the start,
not the first trace. A comma inside a DSN is written ``%2C``. Each call makes new backends, which
belong to the caller.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from harness.errors import InputError, UnknownWordError
from harness.streaming.databases.database import DATABASES, open_database
from harness.streaming.databases.options import COUNT, SECONDS, TEXT, split_options
from harness.streaming.tracing.database import SCHEMA, DatabaseTraces
from harness.streaming.tracing.unix_socket import SocketTraces

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.streaming.tracing.backend import TraceBackend

VARIABLE = "HARNESS_TRACES"
DEFAULT = "sqlite:///traces.sqlite3"  # where neither the caller nor the variable says anything
_SPANS_PATH = "/v1/traces"  # https://opentelemetry.io/docs/specs/otlp/#otlphttp-request


def make_backends(config: str | None = None) -> list[TraceBackend]:
    """Return the backends of a configuration, in its order; an empty one has none.

    Args:
        config: DSNs separated by commas, or None for what HARNESS_TRACES holds.

    Raises:
        InputError: a DSN is at fault, or what its backend needs is not installed.
    """
    given = os.environ.get(VARIABLE, DEFAULT) if config is None else config
    return [_backend(dsn) for dsn in map(str.strip, given.split(",")) if dsn]


def _backend(dsn: str) -> TraceBackend:
    scheme = dsn.partition(":")[0]
    if scheme not in BACKENDS:
        raise UnknownWordError("trace backend", scheme, BACKENDS)
    return BACKENDS[scheme](dsn)


def _database(dsn: str) -> TraceBackend:
    return DatabaseTraces(open_database(dsn, SCHEMA))


def _unix(dsn: str) -> TraceBackend:
    options = {"queue": COUNT, "flush": SECONDS, "retry": SECONDS}
    place, read = split_options(dsn, "unix", options)
    path = place.removeprefix("unix://")
    if not path.startswith("/"):
        raise InputError(f"{place!r} names no socket; write unix:///PATH with three slashes")
    return SocketTraces(unquote(path), **read)


def _otlp(dsn: str) -> TraceBackend:
    place, read = split_options(dsn, "otlp", {"timeout": SECONDS, "service": TEXT})
    endpoint = place.removeprefix("otlp:")
    url = urlsplit(endpoint)
    if url.scheme not in {"http", "https"} or not url.hostname or url.username:
        raise InputError(
            f"{_without_user(endpoint)!r} is no collector; write otlp:http://HOST:PORT, keys go "
            "into OTEL_EXPORTER_OTLP_HEADERS"
        )
    path = "" if url.path.strip("/") else _SPANS_PATH
    try:
        from harness.streaming.tracing.open_telemetry import OpenTelemetryTraces
    except ModuleNotFoundError as error:
        raise InputError(
            f"otlp needs {error.name}: pip install 'llm-stream-harness[otel]'"
        ) from error
    return OpenTelemetryTraces(endpoint.rstrip("/") + path, **read)


def _without_user(url: str) -> str:
    start, _, end = url.rpartition("@")
    return f"{start.partition('//')[0]}//…@{end}" if start else url


BACKENDS: Mapping[str, Callable[[str], TraceBackend]] = {
    **dict.fromkeys(DATABASES, _database),
    "unix": _unix,
    "otlp": _otlp,
}
