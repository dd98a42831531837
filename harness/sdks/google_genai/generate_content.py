"""``generate_content`` of google-genai: ``chunk.text``, ``chunk.function_calls``, the last usage.

https://googleapis.github.io/python-genai/ (streaming, chats)
https://ai.google.dev/gemini-api/docs/function-calling
https://ai.google.dev/api/generate-content (``GenerateContentResponse``)
https://ai.google.dev/api/caching#Content (``Content``)
"""

from __future__ import annotations

import base64
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any

from harness.model import Chunk, Media, Reasoning, Refusal, ServerTool, Text, ToolCall
from harness.protocols.gemini_generate.vocabulary import TOOL_USE_PROMPT, USAGE
from harness.protocols.paths import get
from harness.sdks.binding import Helper, SdkBinding
from harness.sdks.google_genai.clients import DISTRIBUTION, client_of, request_of
from harness.sdks.introspection import fields, integer_paths, literals
from harness.sdks.reader import SdkReader
from harness.sdks.result import (
    EMPTY,
    SdkResult,
    UsageTable,
    as_text,
    json_text,
    tool_call,
    usage_from,
)
from harness.streaming.gemini_closing import ClosingStream, SyncClosingStream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator

    from harness.model import JSON, Part
    from harness.sdks.binding import Vocabulary
    from harness.sdks.call import SdkCall
    from harness.sdks.clients import SdkClients

# The provider's candidates exclude the thoughts, its prompt excludes the tool-use prompt:
# https://ai.google.dev/api/generate-content#UsageMetadata
USAGE_TABLE = UsageTable(USAGE, {"input": (TOOL_USE_PROMPT,), "output": (USAGE["reasoning"],)})

# --- Requests -----------------------------------------------------------------------------------


async def _open_stream(clients: SdkClients, call: SdkCall) -> Any:
    models = client_of(clients).aio.models
    return ClosingStream(await models.generate_content_stream(**request_of(call)))


def _open_stream_sync(clients: SdkClients, call: SdkCall) -> Any:
    models = client_of(clients).models
    return SyncClosingStream(models.generate_content_stream(**request_of(call)))


async def _request_answer(clients: SdkClients, call: SdkCall) -> Any:
    return await client_of(clients).aio.models.generate_content(**request_of(call))


class ChatTurn:
    """One message to a chat: the stream of its answer, and what the chat keeps of the answer.

    Args:
        chat: the SDK's chat.
        chunks: the stream of the answer.
    """

    def __init__(self, chat: Any, chunks: AsyncIterator[Any]) -> None:
        self._chat, self._chunks = chat, chunks
        self._before = len(chat.get_history(curated=True))

    def __aiter__(self) -> AsyncIterator[Any]:
        """Return the chunks of the answer."""
        return self._chunks

    def history_parts(self) -> list[Any]:
        """Return the parts of the answer that the curated history holds."""
        added = self._chat.get_history(curated=True)[self._before :]
        answer = [content for content in added if content.role == "model"]
        return [part for content in answer for part in content.parts or ()]


@asynccontextmanager
async def _open_helper(clients: SdkClients, call: SdkCall) -> AsyncGenerator[ChatTurn, None]:
    """Make a chat, send it the last message of the request's contents, and close the stream."""
    request = request_of(call)
    history, message = _split_contents(request.pop("contents"))
    chat = client_of(clients).aio.chats.create(history=history, **request)
    async with aclosing(await chat.send_message_stream(message)) as chunks:
        yield ChatTurn(chat, chunks)


def _split_contents(contents: JSON) -> tuple[list[JSON], Any]:
    """Split contents into a chat's history and the message that is sent to it."""
    from google.genai import types

    if isinstance(contents, str):
        return [], contents
    *history, last = contents
    if isinstance(last, str):
        return history, last
    return history, types.Content.model_validate(last).parts


# --- Streams ------------------------------------------------------------------------------------


class GeminiReader(SdkReader):
    """The loop over ``models.generate_content_stream``."""

    def __init__(self) -> None:
        self._result = SdkResult()
        self._text = ""
        self._calls: list[ToolCall] = []

    def read(self, chunk: Any) -> Iterator[Chunk]:
        """Read one response chunk."""
        if chunk.text:
            self._text += chunk.text
            yield Chunk("text", chunk.text)
        for call in map(function_call, chunk.function_calls or []):
            yield _call_chunk(call, len(self._calls))
            self._calls.append(call)
        self.read_metadata(chunk)

    def result(self) -> SdkResult:
        """Return the text, then the calls."""
        text = (Text(text=self._text),) if self._text else ()
        return self._result._replace(content=(*text, *self._calls))

    def read_metadata(self, chunk: Any) -> None:
        """Read everything but content: the last chunk counts, and the last finish reason."""
        self._result = self._result._replace(
            usage=usage_from(USAGE_TABLE, chunk.usage_metadata),
            response_id=chunk.response_id,
            model=chunk.model_version,
        )
        if chunk.candidates and chunk.candidates[0].finish_reason:
            finish_raw = as_text(chunk.candidates[0].finish_reason)
            self._result = self._result._replace(finish_raw=finish_raw)
            self.terminal = True


class GeminiChatReader(GeminiReader):
    """The chunks of a chat, part by part, and its curated history."""

    def __init__(self) -> None:
        super().__init__()
        self._content: tuple[Part, ...] = ()
        self._count = 0

    def read(self, chunk: Any) -> Iterator[Chunk]:
        """Read one response chunk."""
        self.read_metadata(chunk)
        for part in read_parts(chunk.parts or ()):
            self._content += (part,)
            if isinstance(part, ToolCall):
                yield _call_chunk(part, self._count)
                self._count += 1
            elif isinstance(part, Text | Reasoning) and part.text:
                yield Chunk(part.kind, part.text)

    async def conclude(self) -> None:
        """Take the turn from the history, which leaves out what it considers invalid."""
        self._content = read_parts(self.stream.history_parts())

    def result(self) -> SdkResult:
        """Return the turn as the history holds it, or what was streamed before the turn ended."""
        return self._result._replace(content=self._content)


def _call_chunk(call: ToolCall, index: int) -> Chunk:
    """Return the one chunk of a call, which comes in one piece."""
    return Chunk("tool_call", None, None, index, call.id, call.name, call.arguments_raw)


# --- Finished objects ---------------------------------------------------------------------------


def read_parts(parts: Iterable[Any]) -> tuple[Part, ...]:
    """Return ``Part`` objects one for one, except those without content."""
    return tuple(part for part in map(_part, parts) if part not in EMPTY)


def function_call(call: Any, signature: str | None = None) -> ToolCall:
    """Return a ``FunctionCall``: its arguments are an object; None means no arguments."""
    arguments = get(call, "args")
    text = "" if arguments is None else json_text(arguments)
    finished = not get(call, "will_continue")
    return tool_call(
        get(call, "id"), get(call, "name"), text, finished=finished, signature=signature
    )


def _part(part: Any) -> Part:
    signature = _base64(get(part, "thought_signature"))
    if get(part, "function_call") is not None:
        return function_call(part.function_call, signature)
    if get(part, "inline_data") is not None:
        data = _base64(get(part, "inline_data.data"))
        return Media(media_type=get(part, "inline_data.mime_type"), data=data)
    if get(part, "text") is not None or signature is not None:
        text = get(part, "text") or ""
        kind = Reasoning if get(part, "thought") else Text
        return kind(text=text, signature=signature)
    other = part.model_dump(mode="json", exclude_none=True)
    return ServerTool(name=next(iter(other)), data=other) if other else Text(text="")


def _base64(data: bytes | None) -> str | None:
    """Return bytes as they are written on the wire."""
    return None if data is None else base64.b64encode(data).decode("ascii")


def _read_answer(response: Any) -> SdkResult:
    """Read the first candidate."""
    candidate = next(iter(get(response, "candidates") or ()), None)
    return SdkResult(
        content=read_parts(get(candidate, "content.parts") or ()),
        finish_raw=as_text(get(candidate, "finish_reason")),
        usage=usage_from(USAGE_TABLE, get(response, "usage_metadata")),
        response_id=get(response, "response_id"),
        model=get(response, "model_version"),
    )


# --- Types --------------------------------------------------------------------------------------


def _vocabulary() -> Vocabulary:
    from google.genai import types

    return {
        "response": fields(types.GenerateContentResponse),
        "candidate": fields(types.Candidate),
        "part": fields(types.Part),
        "finish": literals(types.FinishReason),
        "block_reason": literals(types.BlockedReason),
        "usage": integer_paths(types.GenerateContentResponseUsageMetadata),
    }


BINDING = SdkBinding(
    protocol="gemini_generate",
    distribution=DISTRIBUTION,
    package="google",
    modules=("google.genai.models",),
    open_stream=_open_stream,
    open_stream_sync=_open_stream_sync,
    request_answer=_request_answer,
    read_answer=_read_answer,
    reader=GeminiReader,
    vocabulary=_vocabulary,
    helper=Helper(_open_helper, GeminiChatReader),
    # https://ai.google.dev/gemini-api/docs/function-calling
    finish_by_content=((ToolCall, "tool_calls"), (Refusal, "refusal")),
)
