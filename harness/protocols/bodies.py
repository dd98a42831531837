"""Recorded bodies without a label: which protocol they belong to, and where to split them.

Bytes stay as they were recorded, except that a JSON array and the binary events of Bedrock are
framed again as server-sent events, because the SDKs read nothing else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.protocols import names, protocol
from harness.protocols.events import events_of
from harness.wire import event_stream, sse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.model import Event


def protocol_of(body: bytes) -> str | None:
    """Return the protocol of a body, None where no event is typical of one.

    Raises:
        WireError: the bytes are neither events nor a JSON array.
    """
    return protocol_among(events_of([body]))


def protocol_among(events: Iterable[Event]) -> str | None:
    """Return the protocol of the first event that is typical of one; reads no further."""
    known = [protocol(name) for name in names()]
    for event in events:
        if isinstance(event.data, dict):
            for each in known:
                if each.detection.event(event.data):
                    return each.name
    return None


def protocol_at(uri: str) -> str | None:
    """Return the protocol that is served at an address, None for all other addresses."""
    path = re.split("[?#]", uri, maxsplit=1)[0]
    known = (protocol(name) for name in names())
    return next((each.name for each in known if each.detection.path.search(path)), None)


def is_binary(body: bytes) -> bool:
    """Return whether a body is neither text nor a binary event stream."""
    return b"\x00" in body[:4096] and not event_stream.sniff(body)


def is_stream(body: bytes) -> bool:
    """Return whether a body is server-sent events, which need not be framed again."""
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
