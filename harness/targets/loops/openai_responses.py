"""Responses: deltas are shown, and everything final is the response of ``response.completed``.

https://developers.openai.com/api/docs/guides/streaming-responses (the events to listen for)
https://developers.openai.com/api/docs/guides/function-calling (streaming)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from harness.errors import StreamError
from harness.model import Chunk, Reasoning, Refusal, Text
from harness.streaming.error_mapping import error_info
from harness.targets.final_objects.common import Final
from harness.targets.final_objects.openai_responses import function_call, of_response
from harness.targets.reading import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.model import ChunkKind

# Kinds of words -> the part they are, in the order in which a response holds them.
_PARTS: Mapping[ChunkKind, type[Reasoning | Text | Refusal]] = {
    "reasoning": Reasoning,
    "text": Text,
    "refusal": Refusal,
}


class ResponsesReader(Reader):
    """The loop over ``responses.create(stream=True)``."""

    protocol = "openai_responses"
    words: ClassVar[Mapping[str, ChunkKind]] = {
        "response.output_text.delta": "text",
        "response.refusal.delta": "refusal",
        "response.reasoning_summary_text.delta": "reasoning",
        "response.reasoning_text.delta": "reasoning",
    }

    def __init__(self) -> None:
        self._final: Final | None = None
        self._words: dict[ChunkKind, str] = dict.fromkeys(_PARTS, "")
        self._calls: dict[int, Any] = {}

    def read(self, event: Any) -> Iterator[Chunk]:
        """Take one event."""
        if event.type == "response.completed":
            self.take(event.response)
        elif event.type == "error":
            raise StreamError(error_info(event))
        else:
            yield from self.show(event)

    def show(self, event: Any) -> Iterator[Chunk]:
        """Take one event that is not final; calls accumulate by output index."""
        if event.type in self.words:
            kind = self.words[event.type]
            self._words[kind] += event.delta
            yield Chunk(kind, event.delta)
        elif event.type == "response.output_item.added" and event.item.type == "function_call":
            self._calls[event.output_index] = event.item
            index, item = self._ordinal(event.output_index), event.item
            yield Chunk("tool_call", index=index, id=item.call_id, name=item.name)
        elif event.type == "response.function_call_arguments.delta":
            self._calls[event.output_index].arguments += event.delta
            yield Chunk("tool_call", index=self._ordinal(event.output_index), arguments=event.delta)

    def take(self, response: Any) -> None:
        """Take the final response."""
        self._final, self.terminal = of_response(response), True

    def said(self) -> Final:
        """Return what the final response says, or the deltas while none has come."""
        if self._final is not None:
            return self._final
        words = (part(text=self._words[kind]) for kind, part in _PARTS.items() if self._words[kind])
        return Final((*words, *(function_call(c, whole=False) for c in self._calls.values())))

    def _ordinal(self, output_index: int) -> int:
        return list(self._calls).index(output_index)
