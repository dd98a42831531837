"""Messages: blocks accumulate by index; a call's JSON is parsed once its block stops.

https://docs.claude.com/en/docs/build-with-claude/streaming
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from harness.model import Chunk
from harness.targets.final_objects.anthropic_messages import part_of
from harness.targets.final_objects.common import EMPTY, Final, parsed, usage_from, word
from harness.targets.reading import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.model import ChunkKind


class MessagesReader(Reader):
    """The loop over ``messages.create(stream=True)``."""

    protocol = "anthropic_messages"
    # Delta type -> the field of the same name in delta and block, and the chunk that shows it.
    words: ClassVar[Mapping[str, tuple[str, ChunkKind]]] = {
        "text_delta": ("text", "text"),
        "thinking_delta": ("thinking", "reasoning"),
    }

    def __init__(self) -> None:
        self._said = Final()
        self._blocks: dict[int, Any] = {}
        self._inputs: dict[int, str] = {}
        self._stopped: set[int] = set()
        self._reports: list[Any] = []

    def read(self, event: Any) -> Iterator[Chunk]:
        """Take one event."""
        if event.type == "message_start":
            name, model = word(event.message.id), word(event.message.model)
            self._said = self._said._replace(response_id=name, model=model)
            self._count(event.message.usage)
        elif event.type == "content_block_start":
            yield from self._start(event.index, event.content_block)
        elif event.type == "content_block_delta":
            yield from self._delta(event.index, event.delta)
        elif event.type == "content_block_stop":
            self._stop(event.index)
        elif event.type == "message_delta":
            self._said = self._said._replace(finish_raw=word(event.delta.stop_reason))
            self._count(event.usage)
        elif event.type == "message_stop":
            self.terminal = True

    def said(self) -> Final:
        """Return the blocks in the order of their indexes, which is that of the final content."""
        parts = (
            part_of(self._blocks[index], self._inputs.get(index), whole=index in self._stopped)
            for index in sorted(self._blocks)
        )
        return self._said._replace(content=tuple(part for part in parts if part not in EMPTY))

    def _start(self, index: int, block: Any) -> Iterator[Chunk]:
        self._blocks[index] = block
        if block.type == "tool_use":
            self._inputs[index] = ""
            yield Chunk("tool_call", index=self._ordinal(index), id=block.id, name=block.name)
        elif block.type == "redacted_thinking":
            yield Chunk("redacted_reasoning", data=block.data)

    def _delta(self, index: int, delta: Any) -> Iterator[Chunk]:
        block = self._blocks[index]
        if delta.type in self.words:
            field, kind = self.words[delta.type]
            setattr(block, field, getattr(block, field) + getattr(delta, field))
            yield Chunk(kind, getattr(delta, field))
        elif delta.type == "signature_delta":
            block.signature = delta.signature
        elif delta.type == "citations_delta":
            block.citations = [*(block.citations or []), delta.citation]
        elif delta.type == "input_json_delta" and block.type == "tool_use":
            self._inputs[index] += delta.partial_json
            ordinal = self._ordinal(index)
            yield Chunk("tool_call", index=ordinal, arguments=delta.partial_json)

    def _stop(self, index: int) -> None:
        self._stopped.add(index)
        if self._inputs.get(index):
            self._blocks[index].input = parsed(self._inputs[index])

    def _ordinal(self, index: int) -> int:
        return list(self._inputs).index(index)

    def _count(self, usage: Any) -> None:
        """Read usage: the counts of a message_delta are cumulative."""
        self._reports.append(usage)
        self._said = self._said._replace(usage=usage_from(self.protocol, *self._reports))
