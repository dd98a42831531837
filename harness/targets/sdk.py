"""``sdk``: raw iteration over the SDKs' typed events, with the loops of their own documents.

This is the reference for what an SDK alone gives: no streaming system stands above it.
"""

from __future__ import annotations

from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.protocols import names
from harness.targets.loops.anthropic_messages import MessagesReader
from harness.targets.loops.gemini_generate import GeminiReader
from harness.targets.loops.openai_chat import ChatReader
from harness.targets.loops.openai_responses import ResponsesReader
from harness.targets.opening import open_stream
from harness.targets.reading import ReaderListening

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from harness.targets.base import Call
    from harness.targets.clients import Clients
    from harness.targets.reading import Reader

_READERS: Mapping[str, type[Reader]] = {
    reader.protocol: reader
    for reader in (ResponsesReader, ChatReader, MessagesReader, GeminiReader)
}


class SdkTarget:
    """Raw iteration over the installed SDKs.

    Args:
        clients: the run's SDK clients.
    """

    name = "sdk"

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self.protocols = names()

    def listen(self, call: Call) -> ReaderListening:
        """Return a listener for one stream."""
        return ReaderListening(partial(_opened, self._clients, call), _READERS[call.protocol]())


@asynccontextmanager
async def _opened(clients: Clients, call: Call) -> AsyncGenerator[Any, None]:
    """Open a raw stream and close it as documented: ``async with``, or a generator's aclose."""
    stream = await open_stream(clients, call)
    async with stream if hasattr(stream, "__aexit__") else aclosing(stream):
        yield stream
