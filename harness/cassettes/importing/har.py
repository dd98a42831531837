"""HTTP archives, as browsers and proxies export them.

http://www.softwareishard.com/blog/har-12-spec/

Rules of this file: of a session full of pictures only the exchanges with a model are taken; one of
those whose body the exporter left out refuses the file, because half a session replays wrong.
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
from harness.cassettes.importing.exchanges import STREAMS, as_it_stands
from harness.cassettes.importing.source import items, keys, mapping, status, text
from harness.protocols.bodies import protocol_at

if TYPE_CHECKING:
    from harness.cassettes.importing.source import Source


def takes(source: Source) -> bool:
    """Say whether a JSON document is an archive."""
    return "entries" in keys(mapping(source.document).get("log"))


def read(source: Source) -> Cassette:
    """Read the exchanges with a model."""
    log = source.document["log"]
    maker = mapping(log.get("creator"))
    entries = [mapping(entry) for entry in items(log["entries"])]
    taken = tuple(
        _interaction(source, number, entry, maker)
        for number, entry in enumerate(entries, 1)
        if _with_a_model(entry)
    )
    if not taken:
        words = f"none of its {len(entries)} exchanges streams, or asks a model"
        raise source.refusal(words)
    return Cassette(taken)


def _with_a_model(entry: dict[str, Any]) -> bool:
    content = mapping(mapping(entry.get("response")).get("content"))
    kind = text(content.get("mimeType")).partition(";")[0].strip()
    return kind in STREAMS or protocol_at(_uri(entry)) is not None


def _uri(entry: dict[str, Any]) -> str:
    return text(mapping(entry.get("request")).get("url"))


def _interaction(
    source: Source, number: int, entry: dict[str, Any], maker: dict[str, Any]
) -> Interaction:
    asked, answered = mapping(entry.get("request")), mapping(entry.get("response"))
    code = status(answered.get("status"))
    if code is None:
        raise source.refusal(f"entry {number}: `status` is no HTTP status; was it answered at all?")
    provenance = Provenance(
        what=text(maker.get("name")) or source.path.name,
        version=text(maker.get("version")) or None,
        recorded=text(entry.get("startedDateTime")) or None,
    )
    return Interaction(
        Request(
            method=text(asked.get("method")) or "POST",
            uri=_uri(entry),
            headers=_headers(asked),
            body=text(mapping(asked.get("postData")).get("text")).encode(),
        ),
        Response(
            status=code,
            reason=text(answered.get("statusText")),
            headers=_headers(answered),
            body=_body(source, number, entry),
            stream=Stream(provenance=provenance),
        ),
    )


def _headers(message: dict[str, Any]) -> Headers:
    fields = map(mapping, items(message.get("headers")))
    named = ((text(field.get("name")), text(field.get("value"))) for field in fields)
    return as_it_stands(pair for pair in named if not pair[0].startswith(":"))  # HTTP/2's own


def _body(source: Source, number: int, entry: dict[str, Any]) -> bytes:
    content = mapping(mapping(entry.get("response")).get("content"))
    said = text(content.get("text"))
    if not said:
        words = f"entry {number} ({_uri(entry):.60}) has no body; export the archive with content"
        raise source.refusal(words)
    if content.get("encoding") != "base64":
        return said.encode()
    try:
        return b64decode("".join(said.split()), validate=True)
    except binascii.Error:
        raise source.refusal(f"entry {number}: the body is no base64") from None
