"""Recorded bodies that say nothing of themselves: which protocol they speak, where to split them.

Rule of this file: bytes stay as they were recorded, except that one JSON array and the binary
events of Bedrock are framed again as server-sent events, because the SDKs read nothing else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.protocols import protocol
from harness.protocols.protocol import events_of
from harness.wire import event_stream, sse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.model import JSON, Event


def _chat(data: dict[str, JSON]) -> bool:
    return "choices" in data and data.get("object") != "text_completion"  # Chat's predecessor


_MESSAGES = re.compile("(message|content_block)_(start|delta|stop)")
# An event -> its protocol: what no other protocol's events have.
_MARKS = (
    ("openai_chat", _chat),
    ("openai_responses", lambda data: str(data.get("type")).startswith("response.")),
    ("anthropic_messages", lambda data: _MESSAGES.fullmatch(str(data.get("type")))),
    ("gemini_generate", lambda data: not {"candidates", "usageMetadata"}.isdisjoint(data)),
)
# The end of a request's path -> the protocol of its answer; the body of an error tells none.
_PATHS = (
    ("/chat/completions", "openai_chat"),
    ("/responses", "openai_responses"),
    ("/messages", "anthropic_messages"),
    (":streamGenerateContent", "gemini_generate"),
    (":streamRawPredict", "anthropic_messages"),  # Vertex
)
_BEDROCK = re.compile(r"/model/[^/]*anthropic[^/]*/invoke-with-response-stream$")


def protocol_of(body: bytes) -> str | None:
    """Return the protocol that a body speaks, None where no event tells.

    Raises:
        WireError: the bytes are neither events nor a JSON array.
    """
    return protocol_among(events_of([body]))


def protocol_among(events: Iterable[Event]) -> str | None:
    """Return the protocol of the first event that tells; reads no further."""
    for event in events:
        if isinstance(event.data, dict):
            for name, mark in _MARKS:
                if mark(event.data):
                    return name
    return None


def protocol_at(uri: str) -> str | None:
    """Return the protocol that providers speak at an address, None for all others."""
    path = re.split("[?#]", uri, maxsplit=1)[0]
    if _BEDROCK.search(path):
        return "anthropic_messages"
    return next((name for end, name in _PATHS if path.endswith(end)), None)


def is_binary(body: bytes) -> bool:
    """Say whether a body is no text, and no binary event stream either."""
    return b"\x00" in body[:4096] and not event_stream.sniff(body)


def is_stream(body: bytes) -> bool:
    """Say whether a body is server-sent events, and need not be framed again."""
    return body.lstrip()[:1] != b"[" and not event_stream.sniff(body)


def frames_of(body: bytes, protocol_name: str) -> tuple[bytes, ...]:
    """Return the frames of a body.

    Raises:
        WireError: the bytes are neither events nor a JSON array.
    """
    if is_stream(body):
        return sse.split(body)
    frame = protocol(protocol_name).frame
    return tuple(frame(event) for event in events_of([body]))
