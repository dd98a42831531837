"""Reads the client events of a response while they arrive."""

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

TIMEOUT_S = 20.0


def new_id() -> str:
    return uuid.uuid4().hex


def events_of(response: httpx2.Response) -> Iterator[ClientEvent]:
    """Yield the client events of a streamed response as they arrive."""
    reader = ClientEventReader()
    for piece in response.iter_raw():
        yield from reader.feed(piece)


def labels(events: list[ClientEvent]) -> list[str]:
    """Return the labels of legal events, repeated ones and pings left out."""
    assert client_event_violations(events) == []
    found = [event.label for event in events if event.label != "ping"]
    return [label for at, label in enumerate(found) if at == 0 or found[at - 1] != label]


def body(events: list[ClientEvent], label: str) -> dict[str, Any]:
    [found] = [event.body for event in events if event.label == label]
    assert isinstance(found, dict)
    return found


def text_of(events: list[ClientEvent]) -> str:
    return "".join(
        event.body.get("content", "") for event in events if isinstance(event.body, dict)
    )


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds in the other process."""
    end = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < end, "timeout"
        time.sleep(0.01)
