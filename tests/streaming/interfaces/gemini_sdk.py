"""The google-genai SDK over an HTTP transport in memory, read through our interface.

The bytes are real, the SDK is real, the interface is ours; only the socket is missing.
"""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx2
from google import genai
from google.genai import types

from harness.errors import StreamError
from harness.protocols import protocol
from harness.protocols.composing import entry_of
from harness.streaming.decoding import wire_events
from harness.streaming.gemini_closing import ClosingStream, track_response
from harness.streaming.interfaces.gemini_generate.interface import GeminiGenerateInterface

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from harness.model import JSON, Outcome

PROTOCOL = protocol("gemini_generate")
SIGNATURE, OTHER_SIGNATURE = "c2lnbmF0dXJl", "b3RoZXI="
_NO_TLS: Any = {"ssl": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)}


class Body(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A response body in given reads; ``failure`` is raised after the last of them."""

    def __init__(self, pieces: Iterable[bytes], failure: Exception | None = None) -> None:
        self._pieces, self._failure = iter(pieces), failure
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces
        if self._failure is not None:
            raise self._failure

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in iter(self):
            yield piece

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


class Transport(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """Answers every request with the body that ``respond_with`` set."""

    def respond_with(
        self, body: Body, status: int = 200, content_type: str = "text/event-stream"
    ) -> None:
        self.body, self.status, self.content_type = body, status, content_type

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return self._answer(request)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return self._answer(request)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        headers = {"content-type": self.content_type}
        return httpx2.Response(self.status, headers=headers, stream=self.body, request=request)


class Sdk:
    """A google-genai client without a network; one serves a whole test module."""

    def __init__(self) -> None:
        self.transport = Transport()
        hooks: Any = {"response": [track_response]}
        self._http = httpx2.Client(transport=self.transport)
        self._async_http = httpx2.AsyncClient(transport=self.transport, event_hooks=hooks)
        options = types.HttpOptions(
            base_url="http://x",
            httpx_client=self._http,
            httpx_async_client=self._async_http,
            async_client_args=_NO_TLS,
        )
        self.client = genai.Client(api_key="k", http_options=options)

    async def open(self) -> ClosingStream:
        """Open the stream that ``transport.respond_with`` prepared."""
        models: Any = self.client.aio.models
        return ClosingStream(await models.generate_content_stream(**PROTOCOL.request))

    def open_sync(self) -> Any:
        """Open the same stream synchronously."""
        models: Any = self.client.models
        return models.generate_content_stream(**PROTOCOL.request)

    async def read(self, body: Body, interface: GeminiGenerateInterface) -> Exception | None:
        """Read a complete body; return what was raised."""
        self.transport.respond_with(body)
        return await self.finish(interface)

    async def finish(self, interface: GeminiGenerateInterface) -> Exception | None:
        """Read what ``transport.respond_with`` prepared; return what was raised."""
        try:
            async for _ in interface.chunks(await self.open()):
                pass
        except Exception as error:  # noqa: BLE001 - the test looks at it
            return error
        return None

    async def drive(self, *entries: JSON, **options: Any) -> Outcome:
        """Compose a stream in the notation of scenarios, read it, return the outcome."""
        interface = GeminiGenerateInterface(**options)
        await self.read(Body(frames(*entries)), interface)
        return interface.outcome()


def frames(*entries: JSON) -> list[bytes]:
    """Compose entries and return the bytes of each event."""
    composed = PROTOCOL.composer().compose(map(entry_of, entries))
    return [item if isinstance(item, bytes) else PROTOCOL.frame(item) for item in composed]


def call(name: str, args: JSON = None, **fields: JSON) -> JSON:
    """Return a part with a complete call."""
    return {"functionCall": {"name": name, "args": args}, **fields}


def pieces(*arguments: JSON, more: bool = True) -> JSON:
    """Return the entry of a piece of a streamed call with these partial arguments."""
    goes_on = {"willContinue": True} if more else {}
    return {"function_call": {"partialArgs": list(arguments), **goes_on}}


def wired(*entries: JSON) -> Outcome:
    """Read the same bytes without the SDK."""
    interface = GeminiGenerateInterface()
    with suppress(StreamError):
        for _ in interface.chunks_sync(wire_events(frames(*entries), "gemini_generate")):
            pass
    return interface.outcome()
