"""generate_content: ``chunk.text`` and ``chunk.function_calls``, usage of the last chunk.

https://googleapis.github.io/python-genai/ (streaming)
https://ai.google.dev/gemini-api/docs/function-calling
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.model import Chunk, Text
from harness.targets.final_objects.common import Final, usage_from, word
from harness.targets.final_objects.gemini_generate import function_call
from harness.targets.reading import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model import ToolCall


class GeminiReader(Reader):
    """The loop over ``models.generate_content_stream``."""

    protocol = "gemini_generate"

    def __init__(self) -> None:
        self._said = Final()
        self._text = ""
        self._calls: list[ToolCall] = []

    def read(self, chunk: Any) -> Iterator[Chunk]:
        """Take one response chunk."""
        if chunk.text:
            self._text += chunk.text
            yield Chunk("text", chunk.text)
        for call in map(function_call, chunk.function_calls or []):
            yield call_chunk(call, len(self._calls))
            self._calls.append(call)
        self.take_metadata(chunk)

    def said(self) -> Final:
        """Return the text, then the calls."""
        text = (Text(text=self._text),) if self._text else ()
        return self._said._replace(content=(*text, *self._calls))

    def take_metadata(self, chunk: Any) -> None:
        """Read what is no content: the last chunk counts, and the last finish reason."""
        self._said = self._said._replace(
            usage=usage_from(self.protocol, chunk.usage_metadata),
            response_id=chunk.response_id,
            model=chunk.model_version,
        )
        if chunk.candidates and chunk.candidates[0].finish_reason:
            self._said = self._said._replace(finish_raw=word(chunk.candidates[0].finish_reason))
            self.terminal = True


def call_chunk(call: ToolCall, index: int) -> Chunk:
    """Return the one chunk of a call that came whole."""
    return Chunk("tool_call", None, None, index, call.id, call.name, call.arguments_raw)
