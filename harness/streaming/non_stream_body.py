"""A response with status 200 whose body is not an event stream: an HTML page, a JSON answer.

SDKs look for events in any body; where there are none, they end without an error (catalogue
TR-017). This file keeps the beginning of such a body, so that the error can show it.

Rules of this file: the content type alone is not an error, because servers send events under many
types: it only explains why no event arrived; nothing is read ahead, the first bytes are kept while
the SDK reads them; a response of another type is not touched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

CONTENT_TYPES = frozenset(
    {"application/json", "application/problem+json", "application/xhtml+xml", "text/html"}
)
KEPT = 200  # bytes: enough to recognise a login page or an error object


class NonStreamBody:
    """The body of a response that may not be an event stream, observed while it is read.

    Args:
        response: an ``httpx2`` or ``httpx`` response that has not been read yet.
        content_type: its content-type header.
    """

    def __init__(self, response: Any, content_type: str) -> None:
        self._content_type = content_type
        self._start = b""
        self._bytes, self._abytes = response.iter_bytes, response.aiter_bytes
        response.iter_bytes, response.aiter_bytes = self._iter_bytes, self._aiter_bytes

    def __str__(self) -> str:
        """Describe what arrived instead of events, with its first bytes."""
        start = self._start.decode("utf-8", "replace")
        return f"expected an event stream, received {self._content_type!r}: {start!r}"

    def _iter_bytes(self, *size: int) -> Iterator[bytes]:
        for piece in self._bytes(*size):
            self._keep(piece)
            yield piece

    async def _aiter_bytes(self, *size: int) -> AsyncIterator[bytes]:
        async for piece in self._abytes(*size):
            self._keep(piece)
            yield piece

    def _keep(self, piece: bytes) -> None:
        self._start += piece[: KEPT - len(self._start)]


def non_stream_body(stream: object) -> NonStreamBody | None:
    """Observe the body of an SDK's stream that was just opened.

    Returns:
        The body, or None where its type is that of a stream or unknown: the stream of google-genai
        has no response, and that SDK raises an error for such a body.
    """
    response = getattr(stream, "response", None)
    content_type = getattr(response, "headers", {}).get("content-type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    return NonStreamBody(response, content_type) if media_type in CONTENT_TYPES else None
