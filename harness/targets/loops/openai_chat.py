"""Chat Completions: the first choice's deltas; usage comes in a chunk without choices.

https://developers.openai.com/api/reference/resources/chat/subresources/completions/streaming-events
https://developers.openai.com/cookbook/examples/how_to_stream_completions (usage)
https://developers.openai.com/api/docs/guides/function-calling (streaming)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.model import Chunk
from harness.targets.final_objects.common import Final, usage_from, word
from harness.targets.final_objects.openai_chat import of_words_and_calls
from harness.targets.reading import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator


class ChatReader(Reader):
    """The loop over ``chat.completions.create(stream=True)``."""

    protocol = "openai_chat"

    def __init__(self) -> None:
        self._said = Final()
        self._text = self._refusal = ""
        self._calls: dict[int, Any] = {}
        self._over = False

    def read(self, chunk: Any) -> Iterator[Chunk]:
        """Take one chunk."""
        self._said = self._said._replace(response_id=word(chunk.id), model=word(chunk.model))
        if chunk.usage:
            self._said = self._said._replace(usage=usage_from(self.protocol, chunk.usage))
        if chunk.choices:
            yield from self._choice(chunk.choices[0])

    async def conclude(self) -> None:
        """Take the calls for finished: the documents use them once the loop is over."""
        self._over = True

    def said(self) -> Final:
        """Return text and refusal, then the calls."""
        calls = self._calls.values()
        content = of_words_and_calls(self._text, self._refusal, calls, whole=self._over)
        return self._said._replace(content=content)

    def _choice(self, choice: Any) -> Iterator[Chunk]:
        delta = choice.delta
        if delta.content:
            self._text += delta.content
            yield Chunk("text", delta.content)
        if delta.refusal:
            self._refusal += delta.refusal
            yield Chunk("refusal", delta.refusal)
        for call in delta.tool_calls or []:
            yield self._call(call)
        if choice.finish_reason:
            self._said = self._said._replace(finish_raw=word(choice.finish_reason))
            self.terminal = True

    def _call(self, call: Any) -> Chunk:
        """Accumulate a call by its index: the first delta is kept, arguments are appended."""
        index, function = call.index, call.function
        if index not in self._calls:
            self._calls[index] = call
        else:
            self._calls[index].function.arguments += function.arguments
        return Chunk("tool_call", None, None, index, call.id, function.name, function.arguments)
