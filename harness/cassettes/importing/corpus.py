"""A body with a metadata file: NAME.sse and NAME.json, as in collections of recordings.

The keys of the JSON are ``protocol``, ``status``, ``content_type``, ``request`` (method, host,
path, headers, body, known), ``response_headers``, and the origin: ``source_repo``,
``source_commit``, ``licence``. All but the protocol are optional.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.cassettes.cassette import (
    Cassette,
    Headers,
    Interaction,
    Provenance,
    Request,
    Response,
    Stream,
)
from harness.cassettes.importing.exchanges import (
    JSON_LINES,
    JSON_TEXT,
    NO_HOST,
    exchange,
    json_body,
    without_transfer_headers,
)
from harness.cassettes.importing.source import Source, mapping, status, text
from harness.errors import WireError
from harness.protocols.bodies import protocol_among
from harness.protocols.events import events_of
from harness.wire import event_stream
from harness.wire.script import EVENT_STREAM

if TYPE_CHECKING:
    from pathlib import Path

_OK = 200
_ERROR = 300  # from this status on a body is not a stream
_FRAMINGS = {
    "aws-eventstream": event_stream.CONTENT_TYPE,
    "ndjson": JSON_LINES,
    "json": JSON_TEXT,
    "json-array": JSON_TEXT,
}


def metadata_path(path: Path) -> Path:
    """Return the metadata file of a body."""
    return path.with_suffix(".json")


def body_path(path: Path) -> Path | None:
    """Return the body that a file may be the metadata of."""
    return path.with_suffix(".sse") if path.suffix == ".json" else None


def matches(source: Source) -> bool:
    """Return whether a file is a body with a metadata file."""
    return source.path.suffix == ".sse" and metadata_path(source.path).is_file()


def read(source: Source) -> Cassette:
    """Read a body and its metadata."""
    metadata_source = Source(metadata_path(source.path), source.name)
    metadata = mapping(metadata_source.document)
    code = status(metadata.get("status", _OK))
    if code is None:
        raise metadata_source.error("`status` is not an HTTP status")
    made = exchange(
        source.body, _content_type(metadata), _protocol_name(source, code), _from(metadata), code
    )
    response = Response(
        status=code,
        reason=made.response.reason,
        headers=(*made.response.headers, *_headers(metadata.get("response_headers"))),
        body=source.body,
        stream=Stream(provenance=_from(metadata)),
    )
    request = _request(mapping(metadata.get("request")), made.request.uri)
    return Cassette((Interaction(request, response),))


def _protocol_name(source: Source, code: int) -> str | None:
    """Return the protocol that the body shows; raise if the body cannot be framed."""
    if code >= _ERROR:
        return source.protocol
    try:
        return source.protocol or protocol_among(events_of([source.body]))
    except WireError as error:
        raise source.error(str(error)) from None


def _request(request: dict[str, Any], otherwise: str) -> Request:
    """Return the request; a missing host is replaced by an invalid one."""
    body, path = request.get("body"), text(request.get("path"))
    host = text(request.get("host")) or NO_HOST
    return Request(
        method=text(request.get("method")) or "POST",
        uri=f"https://{host}{path}" if path else otherwise,
        headers=_headers(request.get("headers")),
        body=b"" if body is None else json_body(body),
    )


def _headers(value: object) -> Headers:
    pairs = without_transfer_headers(
        (text(name), text(str(field))) for name, field in mapping(value).items()
    )
    return tuple(pair for pair in pairs if pair[0].lower() != "content-type")


def _content_type(metadata: dict[str, Any]) -> str:
    by_framing = _FRAMINGS.get(text(metadata.get("framing")), EVENT_STREAM)
    return text(metadata.get("content_type")) or by_framing


def _from(metadata: dict[str, Any]) -> Provenance:
    origin = [text(metadata.get(key)) for key in ("provider", "source_repo", "source_path")]
    return Provenance(
        what=", ".join(filter(None, origin)) or "a collection of recordings",
        version=text(metadata.get("source_commit")) or None,
        licence=text(metadata.get("licence")) or None,
    )
