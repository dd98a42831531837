"""A 200 whose body is no event stream: a gateway's page, or the answer in one piece.

SDKs look for events in whatever came; they find none and end without a word (FACTS part A, section
1; catalogue TR-017). Here it is found out what came in their place.

Rules of this file: a content type alone condemns nobody, for servers send events under many names:
it only explains why not one event came; nothing is read ahead, the first bytes are kept while the
SDK reads them; a response of the usual type is left untouched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

CONTENT_TYPES = frozenset(
    {"application/json", "application/problem+json", "application/xhtml+xml", "text/html"}
)
KEPT = 200  # bytes: enough to know a login page or an error object


class NonStreamBody:
    """The body of a response that may be no event stream, watched as it is read.

    Args:
        response: an ``httpx2`` or ``httpx`` response that is yet to be read.
        content_type: what its header says.
    """

    def __init__(self, response: Any, content_type: str) -> None:
        self._content_type = content_type
        self._start = b""
        self._bytes, self._abytes = response.iter_bytes, response.aiter_bytes
        response.iter_bytes, response.aiter_bytes = self._iter_bytes, self._aiter_bytes

    def __str__(self) -> str:
        """Say what came in place of events, and how it begins."""
        start = self._start.decode("utf-8", "replace")
        return f"{self._content_type!r} came where events were asked for: {start!r}"

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
    """Watch the body of an SDK's stream that was just opened.

    Returns:
        The body, or None where its type raises no doubt or is not known: the stream of google-genai
        has no response, and it knows itself what is no answer.
    """
    response = getattr(stream, "response", None)
    content_type = getattr(response, "headers", {}).get("content-type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    return NonStreamBody(response, content_type) if media_type in CONTENT_TYPES else None
