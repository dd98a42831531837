"""Replay files of google-genai, written by its ReplayApiClient.

Rules of this file: the segments of a streamed response are framed again as events; the placeholders
that the SDK puts in place of a base URL are replaced by one, because a replay needs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.cassettes.cassette import Cassette, Interaction, Provenance, Request, Response, Stream
from harness.cassettes.importing.exchanges import JSON_TEXT, framed, json_body
from harness.cassettes.importing.source import items, keys, mapping, status, text
from harness.protocols.events import compact
from harness.wire.script import EVENT_STREAM

if TYPE_CHECKING:
    from harness.cassettes.importing.source import Source

_PROTOCOL = "gemini_generate"
_OK = 200  # the SDK omits it
_STREAMING = ":streamGenerateContent"
_PREFIXES = {
    "{MLDEV_URL_PREFIX}": "https://generativelanguage.googleapis.com/v1beta",
    "{VERTEX_URL_PREFIX}": "https://aiplatform.googleapis.com/v1beta1/projects/p/locations/l",
}


def matches(source: Source) -> bool:
    """Return whether a JSON document is a replay file."""
    return keys(source.document) >= {"replay_id", "interactions"}


def read(source: Source) -> Cassette:
    """Read every exchange."""
    found = [mapping(item) for item in items(source.document["interactions"])]
    if not found:
        raise source.error("the replay contains no interaction")
    provenance = Provenance(what=f"google-genai replay {text(source.document['replay_id'])}")
    return Cassette(tuple(_interaction(item, provenance) for item in found))


def _interaction(item: dict[str, Any], provenance: Provenance) -> Interaction:
    request, response_data = mapping(item.get("request")), mapping(item.get("response"))
    uri = text(request.get("url"))
    for prefix, address in _PREFIXES.items():
        uri = uri.replace(prefix, address)
    code = status(response_data.get("status_code")) or _OK
    segments = items(response_data.get("body_segments"))
    streamed = _STREAMING in uri and code == _OK
    body = (
        framed(((one, compact(one)) for one in segments), _PROTOCOL)
        if streamed
        else json_body(next(iter(segments), {}))
    )
    return Interaction(
        Request(
            method=text(request.get("method")).upper() or "POST",
            uri=uri,
            body=json_body(next(iter(items(request.get("body_segments"))), {})),
        ),
        Response(
            status=code,
            headers=(("content-type", EVENT_STREAM if streamed else JSON_TEXT),),
            body=body,
            stream=Stream(provenance=provenance),
        ),
    )
