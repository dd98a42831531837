"""``builtin``: the real SDKs with our own streaming interfaces above them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from harness.protocols import names
from harness.streaming import closing
from harness.streaming.interfaces import interface_for
from harness.targets.layers import Layers
from harness.targets.opening import open_stream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from harness.model import Chunk, Outcome
    from harness.targets.base import Call
    from harness.targets.clients import Clients


class BuiltinListening:
    """Opens the SDK's stream on entering and reads it through an interface."""

    def __init__(self, clients: Clients, call: Call) -> None:
        self._clients, self._call = clients, call
        self._interface = interface_for(call.protocol)()
        self._stream: Any = None
        self._chunks: AsyncGenerator[Chunk, None] | None = None

    async def __aenter__(self) -> Self:
        """Open the stream; raises what the SDK raises where the provider refuses."""
        try:
            self._stream = await open_stream(self._clients, self._call)
        except Exception as error:
            self._interface.fail(error)
            raise
        except BaseException:  # the consumer did not wait for the answer (catalogue CA-001)
            self._interface.cancel()
            raise
        self._chunks = self._interface.chunks(self._stream)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the stream, in the task that read it.

        Closing a generator that nobody started runs nothing of it, so whoever leaves before the
        first chunk would leave the response open (catalogue CA-002).
        """
        if self._chunks is None:
            return
        try:
            await self._chunks.aclose()
        finally:
            self._interface.cancel()
            await closing.aclose(self._stream)

    def __aiter__(self) -> AsyncGenerator[Chunk, None]:
        """Return the chunks as they arrive."""
        if self._chunks is None:
            raise RuntimeError("enter the listening before iterating over it")
        return self._chunks

    def outcome(self) -> Outcome:
        """Return everything delivered so far."""
        return self._interface.outcome()


class BuiltinTarget:
    """Our streaming interfaces over the installed SDKs.

    Args:
        clients: the run's SDK clients.
    """

    name = "builtin"
    layers = Layers()

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self.protocols = names()

    def listen(self, call: Call) -> BuiltinListening:
        """Return a listener for one stream."""
        return BuiltinListening(self._clients, call)
