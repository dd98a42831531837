"""Sample interactions for tests: a small legal stream, with changes by the test."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.cassettes.cassette import (
    Cassette,
    Interaction,
    Provenance,
    Read,
    Request,
    Response,
    Stream,
)
from tests.scenario_files import written

if TYPE_CHECKING:
    from pathlib import Path

URI = "https://api.anthropic.com/v1/messages"


def hello(folder: Path, **changes: Any) -> Interaction:
    """Return a recorded exchange whose body was read in two reads.

    Args:
        folder: where the scenario of the stream is written.
        changes: fields of the response.
    """
    body = written(folder / "scenario").script().body
    reads = (Read(100, 0.25), Read(len(body) - 100, 0.5))
    stream = Stream(reads, "clean", Provenance("a test", recorded="2026-11-24"))
    headers = (("content-type", "text/event-stream"), ("x-a", "1"), ("x-a", "2"))
    request = Request("POST", URI, (("accept", "*/*"),), b'{"model":"m","stream":true}')
    response = Response(200, "OK", headers, body, stream)
    return Interaction(request, replace(response, **changes))


def cassette(*interactions: Interaction) -> Cassette:
    """Return a cassette of some interactions."""
    return Cassette(interactions)
