"""``responses.stream``: raw events, and the response at the end; it offers no snapshot of it.

https://github.com/openai/openai-python/blob/main/helpers.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.targets.loops.openai_responses import ResponsesReader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractAsyncContextManager

    from harness.model import Chunk
    from harness.targets.base import Call
    from harness.targets.clients import Clients


def opened(clients: Clients, call: Call) -> AbstractAsyncContextManager[Any]:
    """Return the helper's context manager."""
    helper: AbstractAsyncContextManager[Any] = clients.openai(call).responses.stream(**call.request)
    return helper


class ResponsesHelperReader(ResponsesReader):
    """The documented loop over the helper's events, and its final response."""

    def read(self, event: Any) -> Iterator[Chunk]:
        """Take one event; whatever is final waits for the helper."""
        return self.show(event)

    async def conclude(self) -> None:
        """Take the final response."""
        self.take(await self.stream.get_final_response())
