"""``chat.completions.stream``: https://github.com/openai/openai-python/blob/main/helpers.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from harness.model import Chunk
from harness.targets.final_objects.openai_chat import of_completion
from harness.targets.helpers.snapshot import SnapshotReader

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractAsyncContextManager

    from harness.model import ChunkKind
    from harness.targets.base import Call
    from harness.targets.clients import Clients
    from harness.targets.final_objects.common import Final


def opened(clients: Clients, call: Call) -> AbstractAsyncContextManager[Any]:
    """Return the helper's context manager."""
    completions = clients.openai(call).chat.completions
    helper: AbstractAsyncContextManager[Any] = completions.stream(**call.request)
    return helper


class ChatHelperReader(SnapshotReader):
    """The helper's own events and its final completion."""

    protocol = "openai_chat"
    words: ClassVar[Mapping[str, ChunkKind]] = {
        "content.delta": "text",
        "refusal.delta": "refusal",
    }

    def read(self, event: Any) -> Iterator[Chunk]:
        """Take one event."""
        if event.type in self.words and event.delta:
            yield Chunk(self.words[event.type], event.delta)
        elif event.type == "tool_calls.function.arguments.delta":
            fragment = event.arguments_delta
            yield Chunk("tool_call", index=event.index, name=event.name, arguments=fragment)

    def snapshot(self) -> Any:
        """Return the completion so far."""
        return self.stream.current_completion_snapshot

    async def last(self) -> Any:
        """Return the final completion."""
        return await self.stream.get_final_completion()

    def told_by(self, found: Any) -> Final:
        """Return what a completion says."""
        return of_completion(found)
