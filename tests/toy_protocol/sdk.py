"""The toy's SDK binding: there is no SDK, so a plain POST and our own decoding take its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.model import Chunk, Text
from harness.sdks.binding import SdkBinding
from harness.sdks.clients import timeout_of
from harness.sdks.reader import SdkReader
from harness.sdks.result import SdkResult, UsageTable, tool_call, usage_from
from harness.streaming.decoding import wire_events, wire_events_async
from tests.toy_protocol.wire import NAME, PROTOCOL, USAGE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Iterator

    from harness.sdks.call import SdkCall
    from harness.sdks.clients import SdkClients
    from harness.sdks.installed import HttpLibrary

_HTTP: HttpLibrary = "httpx2"


class ToyStream:
    """The events of one response, asynchronously or not.

    Args:
        response: an httpx2 response that is yet to be read.
    """

    def __init__(self, response: Any) -> None:
        self.response = response
        self._bytes: AsyncGenerator[bytes, None] | None = None
        self._events: AsyncGenerator[Any, None] | None = None

    def __aiter__(self) -> AsyncGenerator[Any, None]:
        """Return the events as they arrive."""
        self._bytes = self.response.aiter_bytes()
        self._events = wire_events_async(self._bytes, NAME)
        return self._events

    def __iter__(self) -> Iterator[Any]:
        """Return the events as they arrive."""
        return wire_events(self.response.iter_bytes(), NAME)

    async def aclose(self) -> None:
        """Close the response, and the generators that a consumer left suspended."""
        for generator in (self._events, self._bytes):
            if generator is not None:
                await generator.aclose()
        await self.response.aclose()

    def close(self) -> None:
        """Close the response."""
        self.response.close()


def _request(http: Any, call: SdkCall) -> Any:
    url = f"{call.base_url}/toy"
    return http.build_request("POST", url, json=dict(call.request), timeout=timeout_of(call))


async def _open_stream(clients: SdkClients, call: SdkCall) -> ToyStream:
    http = clients.http(_HTTP)
    response = await http.send(_request(http, call), stream=True)
    if response.is_error:
        await response.aread()
        response.raise_for_status()
    return ToyStream(response)


def _open_stream_sync(clients: SdkClients, call: SdkCall) -> ToyStream:
    http = clients.http_sync(_HTTP)
    response = http.send(_request(http, call), stream=True)
    if response.is_error:
        response.read()
        response.raise_for_status()
    return ToyStream(response)


async def _request_answer(clients: SdkClients, call: SdkCall) -> Any:
    http = clients.http(_HTTP)
    response = await http.send(_request(http, call))
    return response.raise_for_status().json()


def _read_answer(answer: Any) -> SdkResult:
    calls = (tool_call(one["id"], one["name"], one["arguments"]) for one in answer["calls"])
    texts = (Text(text=answer["text"]),) if answer["text"] else ()
    return SdkResult(
        content=(*texts, *calls),
        finish_raw=answer["reason"],
        usage=usage_from(UsageTable(USAGE), answer["usage"]),
        response_id=answer["id"],
        model=answer["model"],
    )


class ToyReader(SdkReader):
    """What a user of the toy would write: texts are shown, calls are collected by index."""

    def __init__(self) -> None:
        self._answer: dict[str, Any] = {"text": "", "reason": None, "usage": None, "id": None}
        self._answer |= {"model": None, "calls": []}

    def read(self, event: Any) -> Iterable[Chunk]:
        """Read one event."""
        answer = self._answer
        match event.type:
            case "begin":
                answer |= {"id": event.id, "model": event.model}
            case "text":
                answer["text"] += event.text
                yield Chunk("text", event.text)
            case "call.start":
                answer["calls"].append({"id": event.id, "name": event.name, "arguments": ""})
            case "call.arguments":
                answer["calls"][event.index]["arguments"] += event.fragment
            case "end":
                answer |= {"reason": event.reason, "usage": event.usage}
                self.terminal = True
            case "error":
                raise RuntimeError(event.message)

    def result(self) -> SdkResult:
        """Return what was read so far."""
        return _read_answer(self._answer)


BINDING = SdkBinding(
    protocol=NAME,
    distribution=_HTTP,
    package=_HTTP,
    modules=(_HTTP,),
    open_stream=_open_stream,
    open_stream_sync=_open_stream_sync,
    request_answer=_request_answer,
    read_answer=_read_answer,
    reader=ToyReader,
    vocabulary=lambda: PROTOCOL.vocabulary,
)
