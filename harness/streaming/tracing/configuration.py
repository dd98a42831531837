"""Trace backends from configuration: DSNs, separated by commas.

===================================  ==============================================================
``sqlite:///traces.db``              and ``postgresql://…``: see databases/database.py
``unix:///run/collector.sock``       a collector on this machine; ``?queue=RECORDS&flush=SECONDS``
``otlp:http://localhost:4318``       an OpenTelemetry collector; ``?timeout=SECONDS&service=NAME``
===================================  ==============================================================

Rules of this file: DSNs are trimmed and empty ones ignored; an unknown word is refused, with the
nearest known one, never replaced by a default (defect D88); an invalid DSN fails at the start, not
at the first trace. A comma inside a DSN is written ``%2C``. Each call makes new backends, which
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
DEFAULT = "sqlite:///traces.sqlite3"  # if neither the caller nor the variable gives any
_SPANS_PATH = "/v1/traces"  # https://opentelemetry.io/docs/specs/otlp/#otlphttp-request


def make_backends(config: str | None = None) -> list[TraceBackend]:
    """Return the backends of a configuration, in its order; none for an empty one.

    Args:
        config: DSNs separated by commas, or None for the value of HARNESS_TRACES.

    Raises:
        InputError: a DSN is not valid, or a package that its backend needs is not installed.
    """
    dsns = os.environ.get(VARIABLE, DEFAULT) if config is None else config
    return [_backend(dsn) for dsn in map(str.strip, dsns.split(",")) if dsn]


def _backend(dsn: str) -> TraceBackend:
    scheme = dsn.partition(":")[0]
    if scheme not in BACKENDS:
        raise UnknownWordError("trace backend", scheme, BACKENDS)
    return BACKENDS[scheme](dsn)


def _database(dsn: str) -> TraceBackend:
    return DatabaseTraces(open_database(dsn, SCHEMA))


def _unix(dsn: str) -> TraceBackend:
    options = {"queue": COUNT, "flush": SECONDS, "retry": SECONDS}
    address, values = split_options(dsn, "unix", options)
    path = address.removeprefix("unix://")
    if not path.startswith("/"):
        raise InputError(f"{address!r} names no socket; write unix:///PATH with three slashes")
    return SocketTraces(unquote(path), **values)


def _otlp(dsn: str) -> TraceBackend:
    address, values = split_options(dsn, "otlp", {"timeout": SECONDS, "service": TEXT})
    endpoint = address.removeprefix("otlp:")
    url = urlsplit(endpoint)
    if url.scheme not in {"http", "https"} or not url.hostname or url.username:
        raise InputError(
            f"{_without_user(endpoint)!r} is not the URL of a collector; write "
            "otlp:http://HOST:PORT and put keys into OTEL_EXPORTER_OTLP_HEADERS"
        )
    path = "" if url.path.strip("/") else _SPANS_PATH
    try:
        from harness.streaming.tracing.open_telemetry import OpenTelemetryTraces
    except ModuleNotFoundError as error:
        raise InputError(
            f"otlp needs {error.name}: pip install 'llm-stream-harness[otel]'"
        ) from error
    return OpenTelemetryTraces(endpoint.rstrip("/") + path, **values)


def _without_user(url: str) -> str:
    start, _, end = url.rpartition("@")
    return f"{start.partition('//')[0]}//…@{end}" if start else url


BACKENDS: Mapping[str, Callable[[str], TraceBackend]] = {
    **dict.fromkeys(DATABASES, _database),
    "unix": _unix,
    "otlp": _otlp,
}
