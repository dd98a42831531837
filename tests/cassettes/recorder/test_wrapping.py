"""A user's own SDK client, wrapped: recorded and replayed without configuring URLs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anthropic
import openai
import pytest
import vcr
from google import genai

from harness.cassettes import load, recording
from harness.wire.script import Script
from tests.cassettes.recorder.clients import KEY, ROWS, Row, collect, register

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cassettes.recorder.conftest import Provider

EACH_SDK = [
    row for row in ROWS if row.name.removeprefix("async ") in {"openai chat", "anthropic", "gemini"}
]
GONE = Script((b'{"error":{"message":"must not be requested"}}',), 500)
named = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
of_each_sdk = pytest.mark.parametrize("row", EACH_SDK, ids=lambda row: row.name)


@named
def test_a_wrapped_client_is_recorded_and_replayed(
    row: Row, provider: Provider, tmp_path: Path
) -> None:
    url = register(provider, Script(row.frames))
    direct = collect(row, url)
    with recording(tmp_path / "a.yaml", "once") as recorder:
        assert collect(row, url, recorder.wrap) == direct
    assert [seen.path for seen in provider.registry.exchanges("a")] == [row.path] * 2
    register(provider, GONE)
    with recording(tmp_path / "a.yaml", "none") as recorder:
        assert collect(row, url, recorder.wrap) == direct
    assert provider.registry.exchanges("a") == ()
    [kept] = load(tmp_path / "a.yaml").interactions
    assert kept.request.uri == f"{url}{row.path}"
    assert KEY not in (tmp_path / "a.yaml").read_text("utf-8")


@named
def test_plain_vcrpy_replays_it_to_the_unwrapped_client(
    row: Row, provider: Provider, tmp_path: Path
) -> None:
    url = register(provider, Script(row.frames))
    with recording(tmp_path / "a.yaml") as recorder:
        direct = collect(row, url, recorder.wrap)
    register(provider, GONE)
    with vcr.use_cassette(str(tmp_path / "a.yaml"), record_mode="none"):
        assert collect(row, url) == direct


@of_each_sdk
def test_wrapped_and_configured_clients_are_recorded_alike(
    row: Row, provider: Provider, tmp_path: Path
) -> None:
    """Either recording can be replayed to either client."""
    url = register(provider, Script(row.frames))
    with recording(tmp_path / "configured.yaml", upstream=[f"mine={url}"]) as recorder:
        direct = collect(row, recorder.base_url("mine"))
    with recording(tmp_path / "wrapped.yaml") as recorder:
        collect(row, url, recorder.wrap)
    [one], [other] = (load(tmp_path / f"{n}.yaml").interactions for n in ("configured", "wrapped"))
    assert one.request == other.request
    assert one.response.body == other.response.body
    with recording(tmp_path / "configured.yaml", "none") as recorder:
        assert collect(row, url, recorder.wrap) == direct
    with recording(tmp_path / "wrapped.yaml", "none", upstream=[f"mine={url}"]) as recorder:
        assert collect(row, recorder.base_url("mine")) == direct


@of_each_sdk
@pytest.mark.parametrize(
    ("mode", "known", "other", "kept"),
    [
        ("none", "replayed", "refused", 1),
        ("once", "replayed", "refused", 1),
        ("new_episodes", "replayed", "asked", 2),
        ("all", "asked", "asked", 3),
        ("rewrite", "asked", "asked", 2),
    ],
)
def test_every_mode(
    *, mode: Any, known: str, other: str, kept: int, row: Row, provider: Provider, tmp_path: Path
) -> None:
    """``other`` is a request that is not in the cassette: it goes to another URL."""
    url = register(provider, Script(row.frames))
    elsewhere = provider.register(Script(row.frames), "b").removeprefix("a=")
    with recording(tmp_path / "a.yaml") as recorder:
        collect(row, url, recorder.wrap)
    before = [len(provider.registry.exchanges(key)) for key in "ab"]
    with recording(tmp_path / "a.yaml", mode) as recorder:
        answered = [_is_answered(row, address, recorder.wrap) for address in (url, elsewhere)]
    after = [len(provider.registry.exchanges(key)) for key in "ab"]
    reached = [
        "refused" if not received else "asked" if now > had else "replayed"
        for received, had, now in zip(answered, before, after, strict=True)
    ]
    assert reached == [known, other]
    assert len(load(tmp_path / "a.yaml").interactions) == kept


def _is_answered(row: Row, url: str, wrap: Any) -> bool:
    try:
        return bool(collect(row, url, wrap))
    except (openai.NotFoundError, anthropic.NotFoundError, genai.errors.ClientError):
        return False  # the recorder's 404


@of_each_sdk
def test_after_a_disconnect_what_was_sent_is_recorded(
    row: Row, provider: Provider, tmp_path: Path
) -> None:
    url = register(provider, Script(row.frames, end="stall"))
    with recording(tmp_path / "a.yaml") as recorder:
        assert len(collect(row, url, recorder.wrap, most=1)) == 1
    [kept] = load(tmp_path / "a.yaml").interactions
    assert kept.response.stream.end == "client_closed"
    assert kept.response.body.startswith(row.frames[0])
