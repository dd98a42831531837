"""``sdk-nonstreaming``: the SDKs without streaming, one request and one answer.

A stream must deliver what the same message delivers here. A body of ``application/json`` is
expected; an event stream fails.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.sdks import binding_of, names
from harness.sdks.listening import SdkListening
from harness.sdks.reader import SdkReader
from harness.sdks.result import SdkResult

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from harness.model import Chunk
    from harness.sdks.binding import SdkBinding
    from harness.sdks.clients import SdkClients
    from harness.targets.base import Call


class AnswerReader(SdkReader):
    """Reads the one object of an answer; the only chunks are those at the end.

    Args:
        binding: the wire language; its ``read_answer`` reads the object.
    """

    def __init__(self, binding: SdkBinding) -> None:
        self._binding = binding
        self._result = SdkResult()

    def read(self, event: Any) -> tuple[Chunk, ...]:
        """Read the object."""
        self._result = self._binding.read_answer(event)
        self.terminal = self._result.finish_raw is not None
        return ()

    def result(self) -> SdkResult:
        """Return what the object contains."""
        return self._result


class SdkNonstreamingTarget:
    """The installed SDKs without streaming.

    Args:
        clients: the SDK clients of the run.
    """

    name = "sdk-nonstreaming"

    def __init__(self, clients: SdkClients) -> None:
        self._clients = clients
        self.protocols = names()

    def listen(self, call: Call) -> SdkListening:
        """Return a listening for one answer."""
        binding = binding_of(call.protocol)
        opener = partial(_request, binding, self._clients, call)
        return SdkListening(binding, opener, AnswerReader(binding))


@asynccontextmanager
async def _request(
    binding: SdkBinding, clients: SdkClients, call: Call
) -> AsyncGenerator[Any, None]:
    yield _one(await binding.request_answer(clients, call))


async def _one(answer: Any) -> AsyncGenerator[Any, None]:
    yield answer
