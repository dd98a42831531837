"""Exchanges made of what a form of recording kept, and of what it did not.

Rules of this file: where nobody kept the request, the address is that of the protocol's provider,
so that a player can match it; what was not streamed as it stands here says so in its provenance.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.cassettes.cassette import Interaction, Provenance, Request, Response, Stream
from harness.model import Event
from harness.protocols import names, protocol
from harness.protocols.message import IN_ORDER
from harness.wire import event_stream
from harness.wire.script import EVENT_STREAM

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.cassettes.cassette import Headers
    from harness.model import JSON
    from harness.protocols.message import Message
    from harness.protocols.protocol import Framing

JSON_LINES = "application/x-ndjson"
JSON_TEXT = "application/json"
STREAMS = frozenset(
    {EVENT_STREAM, JSON_LINES, event_stream.CONTENT_TYPE, "application/stream+json"}
)

# Said of a body that was coded on its way; what is kept here no longer is.
_OF_THE_WAY = frozenset({"content-encoding", "content-length", "transfer-encoding"})

NO_HOST = "recorded.invalid"  # RFC 2606: no such host will ever be


def exchange(
    body: bytes, content_type: str, spoken: str | None, provenance: Provenance, status: int = 200
) -> Interaction:
    """Return an exchange of which only the answer was kept."""
    return Interaction(
        Request("POST", _address(spoken)),
        Response(
            status=status,
            reason="OK" if status == 200 else "",  # noqa: PLR2004 - HTTP's plain success
            headers=(("content-type", content_type),),
            body=body,
            stream=Stream(provenance=provenance),
        ),
    )


def _address(spoken: str | None) -> str:
    if spoken is None or spoken not in names():
        return f"https://{NO_HOST}/"
    return protocol(spoken).endpoint.url


def as_it_stands(headers: Iterable[tuple[str, str]]) -> Headers:
    """Return the headers that are still true of a body that was decoded."""
    return tuple(pair for pair in headers if pair[0].lower() not in _OF_THE_WAY)


def framed(told: Iterable[tuple[JSON, str]], spoken: str) -> bytes:
    """Return a stream as its provider would have framed it.

    Args:
        told: of each event its JSON value and its text.
        spoken: the protocol.
    """
    framing = protocol(spoken).framing
    events = [Event(_name(value, framing), said) for value, said in told]
    if framing.sentinel is not None:
        events.append(framing.sentinel)
    return b"".join(map(protocol(spoken).frame, events))


def _name(value: JSON, framing: Framing) -> str | None:
    named = framing.named_by_type and isinstance(value, dict)
    return str(value.get("type")) if named else None


def encoded(message: Message, spoken: str) -> bytes:
    """Return the body of an answer of which only the words were kept."""
    made = protocol(spoken)
    return b"".join(map(made.frame, made.encode(message, IN_ORDER)))


def json_body(value: JSON) -> bytes:
    """Return the body of a JSON value."""
    return json.dumps(value).encode()
