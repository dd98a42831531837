"""Chat Completions of the OpenAI SDK: deltas of the first choice; usage in a chunk without choices.

https://developers.openai.com/api/reference/resources/chat/subresources/completions/streaming-events
https://developers.openai.com/cookbook/examples/how_to_stream_completions (usage)
https://developers.openai.com/api/docs/guides/function-calling (streaming)
https://developers.openai.com/api/docs/api-reference/chat/object (``ChatCompletion``)
https://github.com/openai/openai-python/blob/main/helpers.md (``chat.completions.stream``)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from harness.model import Chunk, Reasoning, Refusal, Text
from harness.protocols.openai_chat.vocabulary import REASONING, USAGE
from harness.protocols.paths import get
from harness.sdks.binding import Helper, SdkBinding
from harness.sdks.introspection import annotation_of, fields, integer_paths, literals
from harness.sdks.openai.clients import DISTRIBUTION, async_client, sync_client
from harness.sdks.reader import SdkReader, SnapshotReader
from harness.sdks.result import (
    SdkResult,
    UsageTable,
    as_text,
    ended_normally,
    tool_call,
    usage_from,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from contextlib import AbstractAsyncContextManager

    from harness.model import ChunkKind, Part, ToolCall
    from harness.sdks.binding import Vocabulary
    from harness.sdks.call import SdkCall
    from harness.sdks.clients import SdkClients

_PROTOCOL = "openai_chat"
USAGE_TABLE = UsageTable(USAGE)

# --- Requests -----------------------------------------------------------------------------------


async def _open_stream(clients: SdkClients, call: SdkCall) -> Any:
    return await async_client(clients, call).chat.completions.create(stream=True, **call.request)


def _open_stream_sync(clients: SdkClients, call: SdkCall) -> Any:
    return sync_client(clients, call).chat.completions.create(stream=True, **call.request)


async def _request_answer(clients: SdkClients, call: SdkCall) -> Any:
    return await async_client(clients, call).chat.completions.create(**call.request)


def _open_helper(clients: SdkClients, call: SdkCall) -> AbstractAsyncContextManager[Any]:
    completions = async_client(clients, call).chat.completions
    helper: AbstractAsyncContextManager[Any] = completions.stream(**call.request)
    return helper


# --- Streams ------------------------------------------------------------------------------------


class ChatReader(SdkReader):
    """The loop over ``chat.completions.create(stream=True)``."""

    def __init__(self) -> None:
        self._result = SdkResult()
        self._text = self._refusal = ""
        self._calls: dict[int, Any] = {}
        self._finished = False

    def read(self, chunk: Any) -> Iterator[Chunk]:
        """Read one chunk."""
        response_id, model = as_text(chunk.id), as_text(chunk.model)
        self._result = self._result._replace(response_id=response_id, model=model)
        if chunk.usage:
            self._result = self._result._replace(usage=usage_from(USAGE_TABLE, chunk.usage))
        if chunk.choices:
            yield from self._choice(chunk.choices[0])

    async def conclude(self) -> None:
        """Take the calls as finished: the documents use them after the loop."""
        self._finished = True

    def result(self) -> SdkResult:
        """Return text and refusal, then the calls."""
        calls = self._calls.values()
        content = message_parts(self._text, self._refusal, calls, finished=self._finished)
        return self._result._replace(content=content)

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
            self._result = self._result._replace(finish_raw=as_text(choice.finish_reason))
            self.terminal = True

    def _call(self, call: Any) -> Chunk:
        """Accumulate a call by its index: the first delta is kept, arguments are appended."""
        index, function = call.index, call.function
        if index not in self._calls:
            self._calls[index] = call
        else:
            self._calls[index].function.arguments += function.arguments
        return Chunk("tool_call", None, None, index, call.id, function.name, function.arguments)


class ChatHelperReader(SnapshotReader):
    """The helper's own events and its final completion."""

    kinds: ClassVar[Mapping[str, ChunkKind]] = {
        "content.delta": "text",
        "refusal.delta": "refusal",
    }

    def read(self, event: Any) -> Iterator[Chunk]:
        """Read one event."""
        if event.type in self.kinds and event.delta:
            yield Chunk(self.kinds[event.type], event.delta)
        elif event.type == "tool_calls.function.arguments.delta":
            fragment = event.arguments_delta
            yield Chunk("tool_call", index=event.index, name=event.name, arguments=fragment)

    def snapshot(self) -> Any:
        """Return the completion so far."""
        return self.stream.current_completion_snapshot

    async def final_object(self) -> Any:
        """Return the final completion."""
        return await self.stream.get_final_completion()

    def read_object(self, value: Any) -> SdkResult:
        """Return what a completion contains."""
        return read_completion(value)


# --- Finished objects ---------------------------------------------------------------------------


def read_completion(completion: Any) -> SdkResult:
    """Return what a ``ChatCompletion`` contains in its first choice."""
    choice = next(iter(get(completion, "choices") or ()), None)
    finish_raw = as_text(get(choice, "finish_reason"))
    return SdkResult(
        content=message_parts(
            get(choice, "message.content"),
            get(choice, "message.refusal"),
            get(choice, "message.tool_calls") or (),
            finished=ended_normally(_PROTOCOL, finish_raw),
        ),
        finish_raw=finish_raw,
        usage=usage_from(USAGE_TABLE, get(completion, "usage")),
        response_id=as_text(get(completion, "id")),
        model=as_text(get(completion, "model")),
    )


def message_parts(
    text: object, refusal: object, calls: Iterable[Any], *, finished: bool
) -> tuple[Part, ...]:
    """Return the parts of a chat message, in the order of its fields.

    Args:
        text: its ``content``; some servers send a list, which is not text.
        refusal: its ``refusal``.
        calls: its ``tool_calls``.
        finished: whether nothing indicates that the calls were cut off.
    """
    texts = (Text(text=text),) if isinstance(text, str) and text else ()
    refusals = (Refusal(text=refusal),) if isinstance(refusal, str) and refusal else ()
    return (*texts, *refusals, *(_tool_call(call, finished=finished) for call in calls))


def _tool_call(call: Any, *, finished: bool) -> ToolCall:
    text = get(call, "function.arguments") or ""
    return tool_call(get(call, "id"), get(call, "function.name"), text, finished=finished)


def _read_answer(completion: Any) -> SdkResult:
    """Read a completion with the reasoning that compatible servers put beside its content.

    https://api-docs.deepseek.com/guides/reasoning_model (``message.reasoning_content``)
    """
    result = read_completion(completion)
    message = get(next(iter(get(completion, "choices") or ()), None), "message")
    reasoning = next(filter(None, (get(message, field) for field in REASONING)), None)
    if not isinstance(reasoning, str):
        return result
    return result._replace(content=(Reasoning(text=reasoning), *result.content))


# --- Types --------------------------------------------------------------------------------------


def _vocabulary() -> Vocabulary:
    from openai.types import CompletionUsage
    from openai.types.chat import ChatCompletionChunk
    from openai.types.chat.chat_completion_chunk import Choice, ChoiceDelta

    return {
        "chunk": fields(ChatCompletionChunk),
        "delta": fields(ChoiceDelta),
        "role": literals(annotation_of(ChoiceDelta, "role")),
        "finish": literals(annotation_of(Choice, "finish_reason")),
        "usage": integer_paths(CompletionUsage),
    }


BINDING = SdkBinding(
    protocol=_PROTOCOL,
    distribution=DISTRIBUTION,
    package="openai",
    modules=("openai.resources.chat",),
    open_stream=_open_stream,
    open_stream_sync=_open_stream_sync,
    request_answer=_request_answer,
    read_answer=_read_answer,
    reader=ChatReader,
    vocabulary=_vocabulary,
    helper=Helper(_open_helper, ChatHelperReader),
    # https://developers.openai.com/api/docs/guides/structured-outputs (refusals)
    finish_by_content=((Refusal, "refusal"),),
)
