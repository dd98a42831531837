"""``chats``: a message to a chat, its chunks, and the turn as the curated history keeps it.

https://googleapis.github.io/python-genai/ (chats)
"""

from __future__ import annotations

from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any

from harness.model import Chunk, Reasoning, Text, ToolCall
from harness.targets.final_objects.gemini_generate import of_parts
from harness.targets.loops.gemini_generate import GeminiReader, call_chunk
from harness.targets.opening import gemini_request

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator

    from harness.model import JSON, Part
    from harness.targets.base import Call
    from harness.targets.clients import Clients
    from harness.targets.final_objects.common import Final


class Turn:
    """One message to a chat: the stream of its answer, and what the chat keeps of it.

    Args:
        chat: the SDK's chat.
        chunks: the stream of the answer.
    """

    def __init__(self, chat: Any, chunks: AsyncIterator[Any]) -> None:
        self._chat, self._chunks = chat, chunks
        self._before = len(chat.get_history(curated=True))

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._chunks

    def kept(self) -> list[Any]:
        """Return the parts of the answer that the curated history holds."""
        added = self._chat.get_history(curated=True)[self._before :]
        answer = [content for content in added if content.role == "model"]
        return [part for content in answer for part in content.parts or ()]


@asynccontextmanager
async def opened(clients: Clients, call: Call) -> AsyncGenerator[Turn, None]:
    """Make a chat, send it the last message of the request's contents, and close the stream."""
    request = gemini_request(call)
    history, message = _last_message(request.pop("contents"))
    chat = clients.genai().aio.chats.create(history=history, **request)
    async with aclosing(await chat.send_message_stream(message)) as chunks:
        yield Turn(chat, chunks)


def _last_message(contents: JSON) -> tuple[list[JSON], Any]:
    """Split contents into a chat's history and the message that is sent to it."""
    from google.genai import types

    if isinstance(contents, str):
        return [], contents
    *history, last = contents
    if isinstance(last, str):
        return history, last
    return history, types.Content.model_validate(last).parts


class GeminiHelperReader(GeminiReader):
    """The chat's chunks, part by part, and its curated history."""

    def __init__(self) -> None:
        super().__init__()
        self._content: tuple[Part, ...] = ()
        self._count = 0

    def read(self, chunk: Any) -> Iterator[Chunk]:
        """Take one response chunk."""
        self.take_metadata(chunk)
        for part in of_parts(chunk.parts or ()):
            self._content += (part,)
            if isinstance(part, ToolCall):
                yield call_chunk(part, self._count)
                self._count += 1
            elif isinstance(part, Text | Reasoning) and part.text:
                yield Chunk(part.kind, part.text)

    async def conclude(self) -> None:
        """Take the turn out of the history, which leaves out what it holds for invalid."""
        self._content = of_parts(self.stream.kept())

    def said(self) -> Final:
        """Return the turn as the history keeps it, or what was streamed while it is not over."""
        return self._said._replace(content=self._content)
