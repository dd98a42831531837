"""Reads the frames of a response while they come."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

from harness.streaming.serving.client_events import (
    ClientEvent,
    ClientEventReader,
    client_event_violations,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx2

PATIENCE_S = 20.0


def new_id() -> str:
    return uuid.uuid4().hex


def frames_of(response: httpx2.Response) -> Iterator[ClientEvent]:
    """Yield the frames of a streamed response as they come."""
    reader = ClientEventReader()
    for piece in response.iter_raw():
        yield from reader.feed(piece)


def labels(frames: list[ClientEvent]) -> list[str]:
    """Return what was told, one word for each run of equal frames."""
    assert client_event_violations(frames) == []
    found = [frame.label for frame in frames if frame.label != "ping"]
    return [word for at, word in enumerate(found) if at == 0 or found[at - 1] != word]


def body(frames: list[ClientEvent], label: str) -> dict[str, Any]:
    [found] = [frame.body for frame in frames if frame.label == label]
    assert isinstance(found, dict)
    return found


def words(frames: list[ClientEvent]) -> str:
    return "".join(f.body.get("content", "") for f in frames if isinstance(f.body, dict))


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until something in the other process is so."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.01)
