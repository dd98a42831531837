from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from harness.errors import InputError, UnknownWordError
from harness.streaming.tracing.configuration import VARIABLE, make_backends

if TYPE_CHECKING:
    from pathlib import Path


def names(config: str | None) -> list[str]:
    return [backend.name for backend in make_backends(config)]


def test_each_scheme_makes_its_backend_in_order() -> None:
    assert names(
        "sqlite:///t.db,postgresql://me:s3cret@db:5433/app?connect_timeout=2,"
        "unix:///run/c.sock?queue=5&flush=0.5&retry=1,otlp:http://localhost:4318?timeout=1"
    ) == [
        "sqlite:t.db",
        "postgresql://db:5433/app",
        "unix:/run/c.sock",
        "otlp:http://localhost:4318/v1/traces",
    ]


def test_dsns_are_trimmed_and_empty_ones_ignored() -> None:
    assert names(" ,sqlite:///a.db ,, \n\tsqlite:////b.db,") == ["sqlite:a.db", "sqlite:/b.db"]
    assert names("") == []
    assert names(" , ") == []


def test_a_comma_inside_a_dsn_is_escaped() -> None:
    assert names("unix:///run/a%2Cb.sock") == ["unix:/run/a,b.sock"]


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("http://c:4318", "http://c:4318/v1/traces"),
        ("http://c:4318/", "http://c:4318/v1/traces"),
        ("https://c/my/spans", "https://c/my/spans"),
    ],
)
def test_a_collector_without_a_path_gets_the_default_path_of_otlp(endpoint: str, url: str) -> None:
    assert names(f"otlp:{endpoint}") == [f"otlp:{url}"]


def test_the_variable_is_used_if_the_caller_gives_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "unix:///run/c.sock")
    assert names(None) == ["unix:/run/c.sock"]
    assert names("sqlite:///t.db") == ["sqlite:t.db"]
    monkeypatch.setenv(VARIABLE, "")
    assert names(None) == [], "an empty value turns traces off"


def test_the_default_is_a_file_in_the_working_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    assert names(None) == ["sqlite:traces.sqlite3"]
    assert not list(tmp_path.iterdir()), "nothing is opened before the first trace"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("sqlit:///t.db", "unknown trace backend 'sqlit'; did you mean 'sqlite'"),
        ("postgress://h/d", "did you mean 'postgres'"),
        ("clickhouse://h", "unknown trace backend 'clickhouse'; known: otlp"),
        ("sqlite", "names no file"),
        ("unix:///c.sock?quue=3", "unknown unix option 'quue'; did you mean 'queue'"),
        ("unix:///c.sock?queue=0", "option 'queue' must be a positive whole number, not '0'"),
        ("unix:///c.sock?queue=1.5", "option 'queue' must be a positive whole number, not '1.5'"),
        ("unix://c.sock", "names no socket"),
        ("otlp:http://c?tiemout=3", "unknown otlp option 'tiemout'; did you mean 'timeout'"),
        ("otlp:grpc://c:4317", "is not the URL of a collector"),
        ("otlp:http://", "is not the URL of a collector"),
        ("sqlite:///ok.db, unixx:///c", "unknown trace backend 'unixx'"),
    ],
)
def test_an_invalid_configuration_is_refused(config: str, message: str) -> None:
    with pytest.raises(InputError, match=message.replace("?", r"\?")):
        make_backends(config)


def test_credentials_in_a_url_are_refused_and_not_repeated() -> None:
    with pytest.raises(InputError, match="OTEL_EXPORTER_OTLP_HEADERS") as refused:
        make_backends("otlp:https://me:s3cret@collector")
    assert "s3cret" not in str(refused.value)
    assert "collector" in str(refused.value)


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(UnknownWordError):
        make_backends("stdout")


def test_without_opentelemetry_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, "harness.streaming.tracing.open_telemetry", raising=False)
    with pytest.raises(InputError, match=r"llm-stream-harness\[otel\]"):
        make_backends("otlp:http://localhost:4318")


def test_each_call_makes_new_backends() -> None:
    one, other = make_backends("sqlite:///t.db"), make_backends("sqlite:///t.db")
    assert one[0] is not other[0]
