"""Gemini streams whose ``aclose`` releases the connection, which google-genai's own do not.

The SDK's stream is a chain of asynchronous generators. Closing the outermost one leaves the inner
ones, and with them the HTTP response, to the garbage collector (defect D47; measured with 3.4.0).
So an event hook of the HTTP client assigns each response to the stream that is being read, and that
stream closes them itself::

    http = httpx2.AsyncClient(event_hooks={"response": [track_response]})
    ...
    stream = ClosingStream(await client.aio.models.generate_content_stream(...))

Rule of this file: a response belongs to the stream that was being read when its request was made,
so streams that share a client never close one another's responses.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

_reading: ContextVar[list[Any] | None] = ContextVar("_reading", default=None)


async def track_response(response: Any) -> None:
    """Assign a response to the stream being read: a ``response`` event hook."""
    track_response_sync(response)


def track_response_sync(response: Any) -> None:
    """Assign a response likewise: the hook of a synchronous HTTP client."""
    responses = _reading.get()
    if responses is not None:
        responses.append(response)


class ClosingStream:
    """An asynchronous iterator over the SDK's stream; ``aclose`` also closes its responses.

    Args:
        stream: what ``generate_content_stream`` returned.
    """

    def __init__(self, stream: AsyncGenerator[Any, None]) -> None:
        self._stream = stream
        self._responses: list[Any] = []

    def __aiter__(self) -> Self:
        """Return the stream itself."""
        return self

    async def __anext__(self) -> Any:
        """Return the next event; the first call makes the request."""
        token = _reading.set(self._responses)
        try:
            return await anext(self._stream)
        finally:
            _reading.reset(token)

    async def aclose(self) -> None:
        """Close the generator and then every response it opened."""
        try:
            await self._stream.aclose()
        finally:
            for response in self._responses:
                await response.aclose()


class SyncClosingStream:
    """An iterator over the SDK's synchronous stream that exposes its response, as other SDKs do.

    Closing the generator closes its response, but not while a thread waits in it; to wake that
    thread, ``closing.wake_reader`` needs the response.

    Args:
        stream: what the synchronous ``generate_content_stream`` returned.
    """

    def __init__(self, stream: Any) -> None:  # a generator, though the SDK's type says less
        self._stream = stream
        self._responses: list[Any] = []

    @property
    def response(self) -> Any:
        """The response that is being read; None before it arrived."""
        return self._responses[-1] if self._responses else None

    def __iter__(self) -> Self:
        """Return the stream itself."""
        return self

    def __next__(self) -> Any:
        """Return the next event; the first call makes the request."""
        token = _reading.set(self._responses)
        try:
            return next(self._stream)
        finally:
            _reading.reset(token)

    def close(self) -> None:
        """Close the generator and every response it opened.

        Raises:
            ValueError: a thread is waiting in the generator. Closing the response wakes it if the
                transport has no socket.
        """
        try:
            self._stream.close()
        finally:
            for response in self._responses:
                response.close()
