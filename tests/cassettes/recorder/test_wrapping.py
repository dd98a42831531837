"""A user's own SDK client, wrapped: recorded and played without a word about addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anthropic
import openai
import pytest
import vcr
from google import genai

from harness.cassettes import load, recording
from harness.wire.script import Script
from tests.cassettes.recorder.clients import KEY, ROWS, Row, handle, told

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cassettes.recorder.conftest import Provider

EACH_SDK = [
    row for row in ROWS if row.name.removeprefix("async ") in {"openai chat", "anthropic", "gemini"}
]
GONE = Script((b'{"error":{"message":"nobody should ask"}}',), 500)
named = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
of_each_sdk = pytest.mark.parametrize("row", EACH_SDK, ids=lambda row: row.name)


@named
def test_a_wrapped_client_is_recorded_and_played(
    row: Row, provider: Provider, tmp_path: Path
) -> None:
    url = told(provider, Script(row.frames))
    direct = handle(row, url)
    with recording(tmp_path / "a.yaml", "once") as tape:
        assert handle(row, url, tape.wrap) == direct
    assert [seen.path for seen in provider.stage.evidence("a")] == [row.path] * 2
    told(provider, GONE)
    with recording(tmp_path / "a.yaml", "none") as tape:
        assert handle(row, url, tape.wrap) == direct
    assert provider.stage.evidence("a") == ()
    [kept] = load(tmp_path / "a.yaml").interactions
    assert kept.request.uri == f"{url}{row.path}"
    assert KEY not in (tmp_path / "a.yaml").read_text("utf-8")


@named
def test_plain_vcrpy_plays_it_to_the_client_itself(
    row: Row, provider: Provider, tmp_path: Path
) -> None:
    url = told(provider, Script(row.frames))
    with recording(tmp_path / "a.yaml") as tape:
        direct = handle(row, url, tape.wrap)
    told(provider, GONE)
    with vcr.use_cassette(str(tmp_path / "a.yaml"), record_mode="none"):
        assert handle(row, url) == direct


@of_each_sdk
def test_it_is_recorded_as_one_that_was_given_the_address(
    row: Row, provider: Provider, tmp_path: Path
) -> None:
    """Either recording plays to either client."""
    url = told(provider, Script(row.frames))
    with recording(tmp_path / "told.yaml", upstream=[f"mine={url}"]) as tape:
        direct = handle(row, tape.base_url("mine"))
    with recording(tmp_path / "wrapped.yaml") as tape:
        handle(row, url, tape.wrap)
    [one], [other] = (load(tmp_path / f"{n}.yaml").interactions for n in ("told", "wrapped"))
    assert one.request == other.request
    assert one.response.body == other.response.body
    with recording(tmp_path / "told.yaml", "none") as tape:
        assert handle(row, url, tape.wrap) == direct
    with recording(tmp_path / "wrapped.yaml", "none", upstream=[f"mine={url}"]) as tape:
        assert handle(row, tape.base_url("mine")) == direct


@of_each_sdk
@pytest.mark.parametrize(
    ("mode", "known", "other", "kept"),
    [
        ("none", "played", "refused", 1),
        ("once", "played", "refused", 1),
        ("new_episodes", "played", "asked", 2),
        ("all", "asked", "asked", 3),
        ("rewrite", "asked", "asked", 2),
    ],
)
def test_every_mode(
    *, mode: Any, known: str, other: str, kept: int, row: Row, provider: Provider, tmp_path: Path
) -> None:
    """``other`` is a request that the cassette does not know: it goes to another address."""
    url = told(provider, Script(row.frames))
    elsewhere = provider.tells(Script(row.frames), "b").removeprefix("a=")
    with recording(tmp_path / "a.yaml") as tape:
        handle(row, url, tape.wrap)
    before = [len(provider.stage.evidence(key)) for key in "ab"]
    with recording(tmp_path / "a.yaml", mode) as tape:
        heard = [_hears(row, address, tape.wrap) for address in (url, elsewhere)]
    after = [len(provider.stage.evidence(key)) for key in "ab"]
    reached = [
        "refused" if not told else "asked" if now > had else "played"
        for told, had, now in zip(heard, before, after, strict=True)
    ]
    assert reached == [known, other]
    assert len(load(tmp_path / "a.yaml").interactions) == kept


def _hears(row: Row, url: str, wrap: Any) -> bool:
    try:
        return bool(handle(row, url, wrap))
    except (openai.NotFoundError, anthropic.NotFoundError, genai.errors.ClientError):
        return False  # the recorder's 404


@of_each_sdk
def test_a_client_that_leaves_is_kept_as_far_as_it_was(
    row: Row, provider: Provider, tmp_path: Path
) -> None:
    url = told(provider, Script(row.frames, end="stall"))
    with recording(tmp_path / "a.yaml") as tape:
        assert len(handle(row, url, tape.wrap, most=1)) == 1
    [kept] = load(tmp_path / "a.yaml").interactions
    assert kept.response.stream.end == "client_closed"
    assert kept.response.body.startswith(row.frames[0])
