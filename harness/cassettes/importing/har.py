"""HTTP archives, as browsers and proxies export them.

http://www.softwareishard.com/blog/har-12-spec/

Rules of this file: of a browser session only the exchanges with a model are imported; if the
exporter omitted the body of one of them the file is refused, because an incomplete session would
replay wrongly.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
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
from harness.cassettes.importing.exchanges import STREAMS, without_transfer_headers
from harness.cassettes.importing.source import items, keys, mapping, status, text
from harness.protocols.bodies import protocol_at

if TYPE_CHECKING:
    from harness.cassettes.importing.source import Source


def matches(source: Source) -> bool:
    """Return whether a JSON document is an archive."""
    return "entries" in keys(mapping(source.document).get("log"))


def read(source: Source) -> Cassette:
    """Read the exchanges with a model."""
    log = source.document["log"]
    creator = mapping(log.get("creator"))
    entries = [mapping(entry) for entry in items(log["entries"])]
    taken = tuple(
        _interaction(source, number, entry, creator)
        for number, entry in enumerate(entries, 1)
        if _with_a_model(entry)
    )
    if not taken:
        message = f"none of its {len(entries)} exchanges is a stream or a request to a model"
        raise source.error(message)
    return Cassette(taken)


def _with_a_model(entry: dict[str, Any]) -> bool:
    content = mapping(mapping(entry.get("response")).get("content"))
    kind = text(content.get("mimeType")).partition(";")[0].strip()
    return kind in STREAMS or protocol_at(_uri(entry)) is not None


def _uri(entry: dict[str, Any]) -> str:
    return text(mapping(entry.get("request")).get("url"))


def _interaction(
    source: Source, number: int, entry: dict[str, Any], creator: dict[str, Any]
) -> Interaction:
    request, response_data = mapping(entry.get("request")), mapping(entry.get("response"))
    code = status(response_data.get("status"))
    if code is None:
        raise source.error(f"entry {number}: `status` is not an HTTP status; was there a response?")
    provenance = Provenance(
        what=text(creator.get("name")) or source.path.name,
        version=text(creator.get("version")) or None,
        recorded=text(entry.get("startedDateTime")) or None,
    )
    return Interaction(
        Request(
            method=text(request.get("method")) or "POST",
            uri=_uri(entry),
            headers=_headers(request),
            body=text(mapping(request.get("postData")).get("text")).encode(),
        ),
        Response(
            status=code,
            reason=text(response_data.get("statusText")),
            headers=_headers(response_data),
            body=_body(source, number, entry),
            stream=Stream(provenance=provenance),
        ),
    )


def _headers(message: dict[str, Any]) -> Headers:
    fields = map(mapping, items(message.get("headers")))
    named = ((text(field.get("name")), text(field.get("value"))) for field in fields)
    # Names that begin with a colon are pseudo-headers of HTTP/2.
    return without_transfer_headers(pair for pair in named if not pair[0].startswith(":"))


def _body(source: Source, number: int, entry: dict[str, Any]) -> bytes:
    content = mapping(mapping(entry.get("response")).get("content"))
    body = text(content.get("text"))
    if not body:
        message = f"entry {number} ({_uri(entry):.60}) has no body; export the archive with content"
        raise source.error(message)
    if content.get("encoding") != "base64":
        return body.encode()
    try:
        return b64decode("".join(body.split()), validate=True)
    except binascii.Error:
        raise source.error(f"entry {number}: the body is not valid base64") from None
