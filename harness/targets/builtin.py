"""``builtin``: the real SDKs with our own streaming interfaces above them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from harness.sdks import names, open_stream
from harness.streaming import closing
from harness.streaming.interfaces import interface_for

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from harness.model import Chunk, Outcome
    from harness.sdks.clients import SdkClients
    from harness.targets.base import Call
    from harness.targets.layers import Layers


class BuiltinListening:
    """Opens the SDK's stream on entering and reads it through an interface."""

    def __init__(self, clients: SdkClients, call: Call) -> None:
        self._clients, self._call = clients, call
        self._interface = interface_for(call.protocol)()
        self._stream: Any = None
        self._chunks: AsyncGenerator[Chunk, None] | None = None

    async def __aenter__(self) -> Self:
        """Open the stream.

        Raises:
            Exception: what the SDK raises when the provider refuses the request.
        """
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

        Closing a generator that was never started runs no code of it, so a consumer that aborts
        before the first chunk would leave the response open (catalogue CA-002).
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


class _OwnLayers:
    """An attribute whose modules (service, registry, tracing) are imported on first use."""

    def __get__(self, target: object, owner: type | None = None) -> Layers:
        from harness.targets.layers import Layers

        return Layers()


class BuiltinTarget:
    """Our streaming interfaces over the installed SDKs.

    Args:
        clients: the SDK clients of the run.
    """

    name = "builtin"
    layers = _OwnLayers()

    def __init__(self, clients: SdkClients) -> None:
        self._clients = clients
        self.protocols = names()

    def listen(self, call: Call) -> BuiltinListening:
        """Return a listening for one stream."""
        return BuiltinListening(self._clients, call)
