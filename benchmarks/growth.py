"""20,000 events compared with 2,000: time, and memory beyond the outcome itself."""

from __future__ import annotations

import gc
import tracemalloc
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

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
    from collections.abc import AsyncIterator, Awaitable, Callable

    from harness.model import Outcome

    Reading: TypeAlias = Callable[[], Awaitable[Outcome]]

FEW, MANY = 2000, 20000
LIMIT = 10.5


async def rows() -> AsyncIterator[Row]:
    """Yield the growth of time and memory, per protocol and stream."""
    registry = ResponseRegistry()
    clients = SdkClients(memory_transport(registry))
    for name in NAMES:
        for kind, (make, _) in STREAMS.items():
            few = await _typed(clients, name, registry.register(make(name, FEW)))
            many = await _typed(clients, name, registry.register(make(name, MANY)))
            readings = partial(_read, name, few), partial(_read, name, many)
            yield await _time(f"{name} {kind}", *readings)
            yield await _memory(f"{name} {kind}", *readings)
    await clients.aclose()


async def _time(what: str, few: Reading, many: Reading) -> Row:
    large, small, ratio = await alternating(many, few)
    detail = f"{small * 1e6 / FEW:.2f} -> {large * 1e6 / MANY:.2f} us per event"
    return Row(f"{what}: time", ratio, LIMIT, detail)


async def _memory(what: str, few: Reading, many: Reading) -> Row:
    small, large = await _beyond(few), await _beyond(many)
    detail = f"{small / 1024:.0f} -> {large / 1024:.0f} KiB beyond the outcome"
    return Row(f"{what}: memory", large / max(small, 1), LIMIT, detail)


async def _typed(clients: SdkClients, name: str, key: str) -> list[Any]:
    """Return the SDK's typed events, decoded once: the SDK's own cost is not measured here."""
    call = Call(name, f"http://127.0.0.1/{key}", protocol(name).request)
    return [event async for event in await open_stream(clients, call)]


async def _stream(events: list[Any]) -> AsyncIterator[Any]:
    for event in events:
        yield event


async def _read(name: str, events: list[Any]) -> Outcome:
    interface = interface_for(name)()
    async for _ in interface.chunks(_stream(events)):
        pass
    return interface.outcome()


async def _beyond(read: Reading) -> int:
    """Return the peak of bytes allocated while reading, less what the outcome itself holds."""
    gc.collect()
    tracemalloc.start()
    try:
        outcome = await read()
        gc.collect()
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    del outcome  # held until here, so that ``kept`` counts it
    return peak - kept
