"""``messages.stream``: https://github.com/anthropics/anthropic-sdk-python/blob/main/helpers.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from harness.model import Chunk
from harness.targets.final_objects.anthropic_messages import of_message
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
    messages = clients.anthropic(call).messages
    helper: AbstractAsyncContextManager[Any] = messages.stream(**call.request)
    return helper


class MessagesHelperReader(SnapshotReader):
    """The helper's own events and its final message."""

    protocol = "anthropic_messages"
    # The helper's own events -> their field, and the chunk that shows it.
    words: ClassVar[Mapping[str, tuple[str, ChunkKind]]] = {
        "text": ("text", "text"),
        "thinking": ("thinking", "reasoning"),
    }

    def __init__(self) -> None:
        super().__init__()
        self._inputs: dict[int, str] = {}  # the text of each call's input, by block index
        self._open: int | None = None  # the call whose block is open

    def read(self, event: Any) -> Iterator[Chunk]:
        """Take one event: a call's id stands in the raw start, its input in events of their own."""
        if event.type in self.words:
            field, kind = self.words[event.type]
            yield Chunk(kind, getattr(event, field))
        elif event.type == "content_block_start":
            yield from self._start(event.index, event.content_block)
        elif event.type == "input_json" and self._open is not None:
            self._inputs[self._open] += event.partial_json
            index = len(self._inputs) - 1
            yield Chunk("tool_call", index=index, arguments=event.partial_json)

    def snapshot(self) -> Any:
        """Return the message so far."""
        return self.stream.current_message_snapshot

    async def last(self) -> Any:
        """Return the final message."""
        return await self.stream.get_final_message()

    def told_by(self, found: Any) -> Final:
        """Return what a message says."""
        return of_message(found, self._inputs)

    def _start(self, index: int, block: Any) -> Iterator[Chunk]:
        self._open = index if block.type == "tool_use" else None
        if block.type == "tool_use":
            self._inputs[index] = ""
            yield Chunk("tool_call", index=len(self._inputs) - 1, id=block.id, name=block.name)
        elif block.type == "redacted_thinking":
            yield Chunk("redacted_reasoning", data=block.data)
