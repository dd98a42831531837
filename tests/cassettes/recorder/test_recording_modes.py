"""The record modes of vcrpy, and ``rewrite``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from harness.cassettes import load, recording, save
from harness.cassettes.cassette import Cassette
from harness.wire.script import Script
from tests.cassettes.recorder.conftest import BODY, SCRIPT, Provider, ask

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def known(provider: Provider, tmp_path: Path) -> tuple[Path, str]:
    """A cassette with one request, and its upstream, whose response has changed since."""
    path = tmp_path / "a.yaml"
    with recording(path, upstream=[provider.register(SCRIPT)]) as recorder:
        ask(recorder.base_url("a"), authorization="Bearer sk-ant-api03-abcdefghijklmnop")
    return path, provider.register(Script((b"new",), headers=()))


@pytest.mark.parametrize(
    ("mode", "known_answer", "other_answer", "kept"),
    [
        ("none", BODY, None, [BODY]),
        ("once", BODY, None, [BODY]),
        ("new_episodes", BODY, b"new", [BODY, b"new"]),
        ("all", b"new", b"new", [BODY, b"new", b"new"]),
        ("rewrite", b"new", b"new", [b"new", b"new"]),
    ],
)
def test_record_modes(
    mode: Any, known_answer: bytes, other_answer: bytes | None, kept: Any, known: tuple[Path, str]
) -> None:
    path, upstream = known
    with recording(path, mode, upstream=[upstream]) as recorder:
        # Another key, but equal after scrubbing; and the same JSON, formatted differently.
        same = ask(recorder.base_url("a"), b'{"a": 1}', authorization="Bearer x")
        other = ask(recorder.base_url("a"), b'{"a":2}')
    assert same.content == known_answer
    if other_answer is None:
        assert other.status_code == 404
        assert "have other bodies; record it with --mode new_episodes" in other.text
        assert len(recorder.summary.missed) == 1
    else:
        assert other.content == other_answer
    assert [recorded.response.body for recorded in load(path).interactions] == kept


def test_a_recorded_response_is_replayed_once(known: tuple[Path, str]) -> None:
    path, upstream = known
    with recording(path, "none", upstream=[upstream]) as recorder:
        assert ask(recorder.base_url("a")).content == BODY
        assert "every recorded response to it has been replayed" in ask(recorder.base_url("a")).text
        elsewhere = httpx2.get(recorder.base_url("a"), trust_env=False, timeout=60)
        assert "no recorded request has this method and URL" in elsewhere.text


def test_a_recording_is_replayed_with_its_headers(provider: Provider, tmp_path: Path) -> None:
    upstream = provider.register(SCRIPT._replace(pace=0.01))
    for mode in ("rewrite", "none"):
        with recording(tmp_path / "a.yaml", mode, upstream=[upstream]) as recorder:
            reply = ask(recorder.base_url("a"))
            assert (reply.content, reply.headers["x-request-id"]) == (BODY, "req_1")


def test_an_empty_cassette_counts_as_a_cassette(tmp_path: Path, provider: Provider) -> None:
    save(Cassette(), tmp_path / "a.yaml")
    with recording(tmp_path / "a.yaml", upstream=[provider.register(SCRIPT)]) as recorder:
        assert json.loads(ask(recorder.base_url("a")).text)["error"]["type"] == "not_recorded"
