"""Recordings to import, and the outcome that our interface has for an imported exchange."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cassettes.importing.files import Imported, import_files
from harness.model import Outcome, Text, ToolCall, Usage
from harness.playback.recordings import Recording, exchanges
from harness.protocols import protocol
from harness.protocols.bodies import frames_of
from harness.protocols.message import IN_ORDER, Message
from harness.streaming.decoding import wire_events
from harness.streaming.interfaces import interface_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.cassettes.cassette import Cassette

MESSAGE = Message(content=(Text(text="Hello there"),), usage=Usage(input=3, output=2, total=5))
TOOL_CALL = ToolCall(
    id="call_1", name="get", arguments_raw='{"a": 1}', arguments={"a": 1}, complete=True
)


def values(name: str) -> list[Any]:
    """Return the JSON values of a short response, as a tool writes them that decoded the stream."""
    events = protocol(name).encode(MESSAGE, IN_ORDER)
    return [event.data for event in events if isinstance(event.data, dict)]


def body(name: str) -> bytes:
    definition = protocol(name)
    return b"".join(map(definition.frame, definition.encode(MESSAGE, IN_ORDER)))


def imported(path: Path, content: bytes | str, protocol_name: str | None = None) -> Cassette:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    [found] = import_files([path], protocol_name)
    assert isinstance(found, Imported), found
    return found.cassette


def outcome_of(cassette: Cassette, at: int = 0) -> Outcome:
    """Return the outcome of one exchange."""
    found = list(exchanges(cassette, Path("x.yaml")))[at]
    assert isinstance(found, Recording), found
    interface = interface_for(found.protocol)()
    frames = frames_of(found.body, found.protocol)
    list(interface.chunks_sync(wire_events(frames, found.protocol)))
    return interface.outcome()


def archive(*entries: Mapping[str, Any]) -> str:
    log = {"version": "1.2", "creator": {"name": "Browser", "version": "9"}, "entries": entries}
    return json.dumps({"log": log})


def entry(text: str, mime: str = "text/event-stream; charset=utf-8", **more: Any) -> dict[str, Any]:
    return {
        "startedDateTime": "2026-11-20T10:00:00Z",
        "request": {
            "method": "POST",
            "url": "https://api.openai.com/v1/chat/completions",
            "headers": [{"name": ":authority", "value": "x"}, {"name": "Accept", "value": "a"}],
            "postData": {"mimeType": "application/json", "text": '{"stream": true}'},
        },
        "response": {
            "status": 200,
            "statusText": "OK",
            "headers": [{"name": "content-encoding", "value": "br"}],
            "content": {"mimeType": mime, "text": text, **more},
        },
    }
