"""A body with its story beside it: NAME.sse and NAME.json, as collections of recordings keep them.

The JSON says ``protocol``, ``status``, ``content_type``, ``request`` (method, host, path, headers,
body, known), ``response_headers``, and where it came from: ``source_repo``, ``source_commit``,
``licence``. Everything but the protocol may be missing.
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
    as_it_stands,
    exchange,
    json_body,
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
_ERROR = 300  # from here on a body is no stream
_FRAMINGS = {
    "aws-eventstream": event_stream.CONTENT_TYPE,
    "ndjson": JSON_LINES,
    "json": JSON_TEXT,
    "json-array": JSON_TEXT,
}


def story(path: Path) -> Path:
    """Return where the story of a body stands."""
    return path.with_suffix(".json")


def body(path: Path) -> Path | None:
    """Return the body that a file may be the story of."""
    return path.with_suffix(".sse") if path.suffix == ".json" else None


def takes(source: Source) -> bool:
    """Say whether a file is a body with its story beside it."""
    return source.path.suffix == ".sse" and story(source.path).is_file()


def read(source: Source) -> Cassette:
    """Read a body and its story."""
    beside = Source(story(source.path), source.name)
    meta = mapping(beside.document)
    code = status(meta.get("status", _OK))
    if code is None:
        raise beside.refusal("`status` is no HTTP status")
    made = exchange(source.body, _content_type(meta), _spoken(source, code), _from(meta), code)
    response = Response(
        status=code,
        reason=made.response.reason,
        headers=(*made.response.headers, *_headers(meta.get("response_headers"))),
        body=source.body,
        stream=Stream(provenance=_from(meta)),
    )
    request = _request(mapping(meta.get("request")), made.request.uri)
    return Cassette((Interaction(request, response),))


def _spoken(source: Source, code: int) -> str | None:
    """Return the protocol by the body alone, and refuse a body that is not even frames."""
    if code >= _ERROR:
        return source.protocol
    try:
        return source.protocol or protocol_among(events_of([source.body]))
    except WireError as error:
        raise source.refusal(str(error)) from None


def _request(asked: dict[str, Any], otherwise: str) -> Request:
    """Return what was asked; a host that was scrubbed away is one that never was."""
    body, path = asked.get("body"), text(asked.get("path"))
    host = text(asked.get("host")) or NO_HOST
    return Request(
        method=text(asked.get("method")) or "POST",
        uri=f"https://{host}{path}" if path else otherwise,
        headers=_headers(asked.get("headers")),
        body=b"" if body is None else json_body(body),
    )


def _headers(value: object) -> Headers:
    pairs = as_it_stands((text(name), text(str(said))) for name, said in mapping(value).items())
    return tuple(pair for pair in pairs if pair[0].lower() != "content-type")


def _content_type(meta: dict[str, Any]) -> str:
    by_framing = _FRAMINGS.get(text(meta.get("framing")), EVENT_STREAM)
    return text(meta.get("content_type")) or by_framing


def _from(meta: dict[str, Any]) -> Provenance:
    words = [text(meta.get(key)) for key in ("provider", "source_repo", "source_path")]
    return Provenance(
        what=", ".join(filter(None, words)) or "a collection of recordings",
        version=text(meta.get("source_commit")) or None,
        licence=text(meta.get("licence")) or None,
    )
