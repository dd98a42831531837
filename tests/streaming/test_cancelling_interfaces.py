"""Every interface, aborted at every event in every way, through its real SDK (CA-001 to CA-025)."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import httpx2
import pytest

from harness.model import Chunk
from harness.playback.response_registry import ResponseRegistry
from harness.playback.server import serving
from harness.protocols import NAMES, protocol
from harness.sdks import open_stream
from harness.sdks.clients import SdkClients
from harness.streaming.cancellation import CancelSignal
from harness.streaming.error_mapping import llm_error
from harness.streaming.interfaces import interface_for
from harness.streaming.interfaces.anthropic_messages.interface import AnthropicMessagesInterface
from harness.targets.base import Call
from harness.wire.script import Script
from tests.streaming.aborting import (
    AT_CHUNK,
    BOUND_S,
    WHILE_SILENT,
    AbortResult,
    Consumer,
    abort_at_chunk,
    abort_while_silent,
    closed_by,
    faults,
    frames,
    silent_after,
    tasks_left,
    watching_generators,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

    from harness.streaming.interfaces.base import StreamingInterface

    Make: TypeAlias = type[StreamingInterface]
    Silent: TypeAlias = Callable[[], bool]


class OneSlotClients(SdkClients):
    """Clients with one connection: if it is not released, the next request fails."""

    def options(self, library: Literal["httpx2", "httpx"]) -> dict[str, Any]:
        return {
            **super().options(library),
            "limits": httpx2.Limits(max_connections=1),
            "timeout": httpx2.Timeout(5, pool=0.2),
        }


class Provider:
    """A provider on this machine, and the SDK clients for it."""

    def __init__(self, registry: ResponseRegistry, url: str, clients: SdkClients) -> None:
        self.registry, self.url, self.clients = registry, url, clients

    def put(self, name: str, script: Script) -> Call:
        """Register a response; return the call that requests it."""
        return Call(name, f"{self.url}/{self.registry.register(script)}", protocol(name).request)

    async def result(
        self, make: Make, name: str, events: int, run: Callable[[Consumer, Silent], Awaitable[None]]
    ) -> AbortResult:
        """Abort a stream whose provider stays silent after some events."""
        script = silent_after(name, events)
        call, size, before = self.put(name, script), len(script.body), asyncio.all_tasks()
        key = call.base_url.rpartition("/")[2]

        def silent() -> bool:
            exchanges = self.registry.exchanges(key)
            return bool(exchanges) and exchanges[-1].bytes_sent == size

        interface, signal = make(), CancelSignal()
        consumer = Consumer(interface.chunks(open_stream(self.clients, call), signal), signal)
        await run(consumer, silent)
        seen = await closed_by(self.registry, key)
        assert not signal.waits
        return AbortResult(
            got=consumer.got,
            late=consumer.late,
            raised=consumer.raised,
            outcome=interface.outcome(),
            flag=interface.diagnostics.cancelled,
            events=interface.diagnostics.received,
            sent=events,
            closed_by=seen,
            tasks=await tasks_left(before),
        )

    async def abort_while_silent(self, make: Make, name: str, events: int, way: str) -> AbortResult:
        """Abort while the provider is silent."""
        act = WHILE_SILENT[way][0]
        return await self.result(
            make, name, events, lambda consumer, silent: abort_while_silent(consumer, act, silent)
        )

    async def abort_at_chunk(self, make: Make, name: str, number: int, way: str) -> AbortResult:
        """Abort while the consumer has a chunk."""
        act, all_but_the_end = AT_CHUNK[way][0], len(frames(name)) - 1
        return await self.result(
            make, name, all_but_the_end, lambda consumer, _: abort_at_chunk(consumer, act, number)
        )


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    registry, clients = ResponseRegistry(), OneSlotClients()
    with serving(registry) as url:
        yield Provider(registry, url, clients)
        await clients.aclose()


@pytest.mark.parametrize("way", WHILE_SILENT)
@pytest.mark.parametrize("name", NAMES)
async def test_an_abort_while_the_provider_is_silent(
    name: str, way: str, provider: Provider
) -> None:
    found = {}
    with watching_generators() as abandoned:
        for events in range(len(frames(name))):
            result = await provider.abort_while_silent(interface_for(name), name, events, way)
            found[events] = faults(
                result, WHILE_SILENT[way][1], signalled=WHILE_SILENT[way][1] is None
            )
    assert {events: wrong for events, wrong in found.items() if wrong} == {}
    assert abandoned == []


@pytest.mark.parametrize("way", AT_CHUNK)
@pytest.mark.parametrize("name", NAMES)
async def test_an_abort_at_each_chunk(name: str, way: str, provider: Provider) -> None:
    everything = await provider.abort_while_silent(
        interface_for(name), name, len(frames(name)) - 1, "signal"
    )
    found = {}
    with watching_generators() as abandoned:
        for number in range(1, len(everything.got) + 1):
            result = await provider.abort_at_chunk(interface_for(name), name, number, way)
            found[number] = faults(result, AT_CHUNK[way][1], signalled=way == "signal")
    assert {number: broken for number, broken in found.items() if broken} == {}
    assert abandoned == []


@pytest.mark.parametrize("name", NAMES)
async def test_a_run_cancelled_while_connecting_closes_the_socket(
    name: str, provider: Provider
) -> None:
    """CA-001: the provider took the request and has not answered yet."""
    requested, gone = asyncio.Event(), asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        requested.set()
        with suppress(ConnectionError):
            while await reader.read(1 << 16):
                pass
        gone.set()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    call = Call(name, f"http://127.0.0.1:{port}/x", protocol(name).request)
    interface, signal = interface_for(name)(), CancelSignal()
    task = asyncio.create_task(
        listed(interface.chunks(open_stream(provider.clients, call), signal))
    )
    await asyncio.wait_for(requested.wait(), 5)
    signal.fire()
    assert await asyncio.wait_for(task, BOUND_S) == [Chunk("stop_reason", finish="cancelled")]
    await asyncio.wait_for(gone.wait(), BOUND_S)
    assert interface.diagnostics.cancelled
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("name", NAMES)
async def test_a_run_cancelled_before_it_began_sends_no_request(
    name: str, provider: Provider
) -> None:
    call = provider.put(name, silent_after(name, 3))
    interface, signal = interface_for(name)(), CancelSignal()
    signal.fire()
    chunks = interface.chunks(open_stream(provider.clients, call), signal)
    assert await listed(chunks) == [Chunk("stop_reason", finish="cancelled")]
    assert provider.registry.exchanges(call.base_url.rpartition("/")[2]) == ()


@pytest.mark.parametrize("name", NAMES)
async def test_a_rejected_request_ends_the_chunks_as_failed(name: str, provider: Provider) -> None:
    body = b'{"error": {"code": 429, "type": "rate_limit_error", "message": "no"}}'
    headers = (("content-type", "application/json"),)
    call = provider.put(name, Script((body,), status=429, headers=headers))
    interface = interface_for(name)()
    signalled: list[Chunk] = []
    with pytest.raises(Exception, match="no"):
        await listed(interface.chunks(open_stream(provider.clients, call)), signalled)
    assert [chunk.kind for chunk in signalled] == ["error", "stop_reason"]
    assert interface.outcome().ending == "failed"
    again = provider.put(name, Script(frames(name)))
    chunks = await listed(interface_for(name)().chunks(open_stream(provider.clients, again)))
    assert chunks[-1].kind in {"usage", "stop_reason"}  # CA-019: the one connection is free


async def listed(
    chunks: AsyncGenerator[Chunk, None], signalled: list[Chunk] | None = None
) -> list[Chunk]:
    """Return all chunks; a list given as argument has them even after an exception."""
    signalled = [] if signalled is None else signalled
    async with aclosing(chunks):
        async for chunk in chunks:
            signalled.append(chunk)
    return signalled


# The checks themselves: one broken interface each, and the message that reports it.


class NoFlag(AnthropicMessagesInterface):
    """Defect D4: the interface does not record a cancellation."""

    def cancel(self) -> None:
        """Forget it."""


class Relabels(AnthropicMessagesInterface):
    """Defect D56: an early abort raises an error."""

    async def chunks(self, *arguments: Any) -> AsyncGenerator[Chunk, None]:
        """Turn every exit into an error."""
        try:
            async for chunk in super().chunks(*arguments):
                yield chunk
        except BaseException as error:
            raise llm_error(RuntimeError("Unhandled LLM error")) from error


class Twice(AnthropicMessagesInterface):
    """IV-007: an exception thrown in makes the interface process the current event again."""

    async def chunks(self, *arguments: Any) -> AsyncGenerator[Chunk, None]:
        """Yield the chunk again after an exception was thrown in."""
        async with aclosing(super().chunks(*arguments)) as inner:
            async for chunk in inner:
                try:
                    yield chunk
                except Exception:  # noqa: BLE001 - the defect
                    yield chunk


class NeverCloses(AnthropicMessagesInterface):
    """D47: the provider's stream is closed by the garbage collector only."""

    async def chunks(self, opening: Any, *_: Any) -> AsyncGenerator[Chunk, None]:
        """Read without ever closing."""
        stream = STREAMS[id(self)] = await opening
        try:
            async for event in stream:
                for chunk in self.handle(event):
                    self._chunks.append(chunk)
                    yield chunk
        finally:
            self.cancel()


class Unresponsive(AnthropicMessagesInterface):
    """Defect D72: a cancellation is noticed when the next chunk arrives."""

    async def chunks(self, opening: Any, cancel: Any = None) -> AsyncGenerator[Chunk, None]:
        """Check the signal between chunks only."""
        async with aclosing(super().chunks(opening)) as inner:
            async for chunk in inner:
                if cancel.fired:
                    return
                yield chunk


STREAMS: dict[int, Any] = {}


@pytest.mark.parametrize(
    ("broken", "when", "way", "message"),
    [
        (NoFlag, "waiting", "signal", "the flag was not set"),
        (NoFlag, "at chunk", "aclose", "the outcome has"),
        (Relabels, "waiting", "task cancel", "raised LLMUnknownError"),
        (Relabels, "at chunk", "throw", "raised LLMUnknownError"),
        (Twice, "at chunk", "throw", "chunks after the abort"),
        (NeverCloses, "at chunk", "break", "the provider saw None close"),
        (Unresponsive, "waiting", "signal", "raised TimeoutError('it still waits')"),
    ],
)
async def test_each_broken_interface_is_found(
    broken: Make, when: str, way: str, message: str, provider: Provider
) -> None:
    if when == "waiting":
        result = await provider.abort_while_silent(broken, broken.protocol, 5, way)
        found = faults(result, WHILE_SILENT[way][1], signalled=WHILE_SILENT[way][1] is None)
    else:
        result = await provider.abort_at_chunk(broken, broken.protocol, 2, way)
        found = faults(result, AT_CHUNK[way][1], signalled=way == "signal")
    STREAMS.clear()
    assert [fault for fault in found if fault.startswith(message)], found
