"""Exchanges built from what a format records, with defaults for what it does not.

Rules of this file: if the request was not recorded, its URL is that of the protocol's provider, so
that a replay can match it; a body that was encoded or framed again says so in its provenance.
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

# Headers of the transfer, not true of a decoded body.
_TRANSFER_HEADERS = frozenset({"content-encoding", "content-length", "transfer-encoding"})

NO_HOST = "recorded.invalid"  # RFC 2606: guaranteed not to exist


def exchange(
    body: bytes,
    content_type: str,
    protocol_name: str | None,
    provenance: Provenance,
    status: int = 200,
) -> Interaction:
    """Return an exchange of which only the response was recorded.

    Args:
        body: the response body.
        content_type: its media type.
        protocol_name: the protocol, None if unknown.
        provenance: what produced it.
        status: the HTTP status.
    """
    return Interaction(
        Request("POST", _address(protocol_name)),
        Response(
            status=status,
            reason="OK" if status == 200 else "",  # noqa: PLR2004 - HTTP's plain success
            headers=(("content-type", content_type),),
            body=body,
            stream=Stream(provenance=provenance),
        ),
    )


def _address(protocol_name: str | None) -> str:
    if protocol_name is None or protocol_name not in names():
        return f"https://{NO_HOST}/"
    return protocol(protocol_name).endpoint.url


def without_transfer_headers(headers: Iterable[tuple[str, str]]) -> Headers:
    """Return headers without those of the transfer, for a decoded body."""
    return tuple(pair for pair in headers if pair[0].lower() not in _TRANSFER_HEADERS)


def framed(values: Iterable[tuple[JSON, str]], protocol_name: str) -> bytes:
    """Return a stream in the framing of its provider.

    Args:
        values: of each event its JSON value and its text.
        protocol_name: the protocol.
    """
    framing = protocol(protocol_name).framing
    events = [Event(_name(value, framing), content) for value, content in values]
    if framing.sentinel is not None:
        events.append(framing.sentinel)
    return b"".join(map(protocol(protocol_name).frame, events))


def _name(value: JSON, framing: Framing) -> str | None:
    named = framing.named_by_type and isinstance(value, dict)
    return str(value.get("type")) if named else None


def encoded(message: Message, protocol_name: str) -> bytes:
    """Return the body of a response of which only the message was recorded."""
    definition = protocol(protocol_name)
    return b"".join(map(definition.frame, definition.encode(message, IN_ORDER)))


def json_body(value: JSON) -> bytes:
    """Return a JSON value as a body."""
    return json.dumps(value).encode()
