"""``sdk``: raw iteration over the SDKs' typed events, with the loops that their documents show.

This is the reference for what an SDK delivers alone, without a streaming system above it.
"""

from __future__ import annotations

from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.sdks import binding_of, names
from harness.sdks.listening import SdkListening

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from harness.sdks.binding import SdkBinding
    from harness.sdks.clients import SdkClients
    from harness.targets.base import Call


class SdkTarget:
    """Raw iteration over the installed SDKs.

    Args:
        clients: the SDK clients of the run.
    """

    name = "sdk"

    def __init__(self, clients: SdkClients) -> None:
        self._clients = clients
        self.protocols = names()

    def listen(self, call: Call) -> SdkListening:
        """Return a listening for one stream."""
        binding = binding_of(call.protocol)
        return SdkListening(
            binding, partial(_opened, binding, self._clients, call), binding.reader()
        )


@asynccontextmanager
async def _opened(
    binding: SdkBinding, clients: SdkClients, call: Call
) -> AsyncGenerator[Any, None]:
    """Open a raw stream and close it as documented: ``async with``, or a generator's aclose."""
    stream = await binding.open_stream(clients, call)
    async with stream if hasattr(stream, "__aexit__") else aclosing(stream):
        yield stream
