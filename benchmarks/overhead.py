"""Our interface over the SDK's stream, compared with bare iteration over that stream."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks.measuring import Row, alternating
from benchmarks.streams import STREAMS
from harness.playback.response_registry import ResponseRegistry
from harness.playback.transport import memory_transport
from harness.protocols import NAMES, protocol
from harness.sdks import open_stream
from harness.sdks.clients import SdkClients
from harness.streaming.interfaces import interface_for
from harness.targets.base import Call

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LIMIT = 1.10


async def rows() -> AsyncIterator[Row]:
    """Yield the time of ``builtin`` over the time of the bare SDK, per protocol and stream."""
    registry = ResponseRegistry()
    clients = SdkClients(memory_transport(registry))
    for name in NAMES:
        for kind, (make, events) in STREAMS.items():
            script = make(name, events)
            key = registry.register(script)
            call = Call(name, f"http://127.0.0.1/{key}", protocol(name).request)
            ours, bare, ratio = await alternating(
                partial(_ours, clients, call), partial(_bare, clients, call)
            )
            each = 1e6 / len(script.frames)
            detail = f"{ours * each:.1f} us per event, the SDK alone {bare * each:.1f}"
            yield Row(f"{name} {kind} ({len(script.frames)} events)", ratio, LIMIT, detail)
    await clients.aclose()


async def _bare(clients: SdkClients, call: Call) -> None:
    async for _ in await open_stream(clients, call):
        pass


async def _ours(clients: SdkClients, call: Call) -> None:
    interface = interface_for(call.protocol)()
    async for _ in interface.chunks(await open_stream(clients, call)):
        pass
    interface.outcome()
