"""The Messages API of the Anthropic SDK: blocks accumulate by index.

https://docs.claude.com/en/docs/build-with-claude/streaming
https://docs.claude.com/en/api/messages (``Message``)
https://github.com/anthropics/anthropic-sdk-python/blob/main/helpers.md (``messages.stream``)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from harness.model import Chunk, Reasoning, RedactedReasoning, ServerTool, Text
from harness.protocols.anthropic_messages.vocabulary import BESIDE_INPUT, SERVER_TOOLS, USAGE
from harness.protocols.paths import get
from harness.sdks.anthropic.clients import DISTRIBUTION, async_client, sync_client
from harness.sdks.binding import Helper, SdkBinding
from harness.sdks.introspection import annotation_of, integer_paths, literals, tags
from harness.sdks.reader import SdkReader, SnapshotReader
from harness.sdks.result import (
    EMPTY,
    SdkResult,
    UsageTable,
    as_text,
    ended_normally,
    json_text,
    parse_object,
    tool_call,
    usage_from,
)
from harness.streaming.usage import raw_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractAsyncContextManager

    from harness.model import ChunkKind, Part, ToolCall
    from harness.sdks.binding import Vocabulary
    from harness.sdks.call import SdkCall
    from harness.sdks.clients import SdkClients

_PROTOCOL = "anthropic_messages"
# The provider's input excludes the cache:
# https://docs.claude.com/en/docs/build-with-claude/prompt-caching
USAGE_TABLE = UsageTable(USAGE, {"input": tuple(USAGE[field] for field in BESIDE_INPUT)})

# --- Requests -----------------------------------------------------------------------------------


async def _open_stream(clients: SdkClients, call: SdkCall) -> Any:
    return await async_client(clients, call).messages.create(stream=True, **call.request)


def _open_stream_sync(clients: SdkClients, call: SdkCall) -> Any:
    return sync_client(clients, call).messages.create(stream=True, **call.request)


async def _request_answer(clients: SdkClients, call: SdkCall) -> Any:
    return await async_client(clients, call).messages.create(**call.request)


def _open_helper(clients: SdkClients, call: SdkCall) -> AbstractAsyncContextManager[Any]:
    messages = async_client(clients, call).messages
    helper: AbstractAsyncContextManager[Any] = messages.stream(**call.request)
    return helper


# --- Streams ------------------------------------------------------------------------------------


class MessagesReader(SdkReader):
    """The loop over ``messages.create(stream=True)``; calls are parsed when their block ends."""

    # Delta type -> the field of that text in delta and block, and the kind of its chunk.
    kinds: ClassVar[Mapping[str, tuple[str, ChunkKind]]] = {
        "text_delta": ("text", "text"),
        "thinking_delta": ("thinking", "reasoning"),
    }

    def __init__(self) -> None:
        self._result = SdkResult()
        self._blocks: dict[int, Any] = {}
        self._inputs: dict[int, str] = {}
        self._stopped: set[int] = set()
        self._usages: list[Any] = []

    def read(self, event: Any) -> Iterator[Chunk]:
        """Read one event."""
        if event.type == "message_start":
            response_id, model = as_text(event.message.id), as_text(event.message.model)
            self._result = self._result._replace(response_id=response_id, model=model)
            self._count(event.message.usage)
        elif event.type == "content_block_start":
            yield from self._start(event.index, event.content_block)
        elif event.type == "content_block_delta":
            yield from self._delta(event.index, event.delta)
        elif event.type == "content_block_stop":
            self._stop(event.index)
        elif event.type == "message_delta":
            self._result = self._result._replace(finish_raw=as_text(event.delta.stop_reason))
            self._count(event.usage)
        elif event.type == "message_stop":
            self.terminal = True

    def result(self) -> SdkResult:
        """Return the blocks in the order of their indexes, which is that of the final content."""
        parts = (
            read_block(block, self._inputs.get(index), finished=index in self._stopped)
            for index, block in sorted(self._blocks.items())
        )
        return self._result._replace(content=tuple(part for part in parts if part not in EMPTY))

    def _start(self, index: int, block: Any) -> Iterator[Chunk]:
        self._blocks[index] = block
        if block.type == "tool_use":
            self._inputs[index] = ""
            yield Chunk("tool_call", index=self._ordinal(index), id=block.id, name=block.name)
        elif block.type == "redacted_thinking":
            yield Chunk("redacted_reasoning", data=block.data)

    def _delta(self, index: int, delta: Any) -> Iterator[Chunk]:
        block = self._blocks[index]
        if delta.type in self.kinds:
            field, kind = self.kinds[delta.type]
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
            self._blocks[index].input = parse_object(self._inputs[index])

    def _ordinal(self, index: int) -> int:
        return list(self._inputs).index(index)

    def _count(self, usage: Any) -> None:
        """Read usage: the counts of a message_delta are cumulative."""
        self._usages.append(usage)
        self._result = self._result._replace(usage=usage_from(USAGE_TABLE, *self._usages))


class MessagesHelperReader(SnapshotReader):
    """The helper's own events and its final message."""

    # The helper's own events -> the field of their text, and the kind of its chunk.
    kinds: ClassVar[Mapping[str, tuple[str, ChunkKind]]] = {
        "text": ("text", "text"),
        "thinking": ("thinking", "reasoning"),
    }

    def __init__(self) -> None:
        super().__init__()
        self._inputs: dict[int, str] = {}  # the text of each call's input, by block index
        self._open: int | None = None  # the index of the open block, if it is a call

    def read(self, event: Any) -> Iterator[Chunk]:
        """Read one event: a call's id is in the raw start, its input in events of their own."""
        if event.type in self.kinds:
            field, kind = self.kinds[event.type]
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

    async def final_object(self) -> Any:
        """Return the final message."""
        return await self.stream.get_final_message()

    def read_object(self, value: Any) -> SdkResult:
        """Return what a message contains."""
        return read_message(value, self._inputs)

    def _start(self, index: int, block: Any) -> Iterator[Chunk]:
        self._open = index if block.type == "tool_use" else None
        if block.type == "tool_use":
            self._inputs[index] = ""
            yield Chunk("tool_call", index=len(self._inputs) - 1, id=block.id, name=block.name)
        elif block.type == "redacted_thinking":
            yield Chunk("redacted_reasoning", data=block.data)


# --- Finished objects ---------------------------------------------------------------------------


def read_message(message: Any, streamed: Mapping[int, str] | None = None) -> SdkResult:
    """Return what a ``Message`` contains.

    Args:
        message: the SDK's object; it keeps the parsed input of a call, not its text.
        streamed: the text of each call's input, by the index of its block; None if the message was
            not streamed.
    """
    streamed = streamed or {}
    blocks = list(get(message, "content") or ())
    finish_raw = as_text(get(message, "stop_reason"))
    normal = ended_normally(_PROTOCOL, finish_raw)
    parts = (
        # Blocks follow one another: if the message was cut off, its last block was.
        read_block(block, streamed.get(index), finished=normal or index < len(blocks) - 1)
        for index, block in enumerate(blocks)
    )
    return SdkResult(
        content=tuple(part for part in parts if part not in EMPTY),
        finish_raw=finish_raw,
        usage=usage_from(USAGE_TABLE, get(message, "usage")),
        response_id=as_text(get(message, "id")),
        model=as_text(get(message, "model")),
    )


def read_block(block: Any, streamed: str | None = None, *, finished: bool = True) -> Part:
    """Return a content block as a part.

    Args:
        block: the SDK's object.
        streamed: the text of a call's input; if it differs in meaning from the block's input, the
            block counts.
        finished: whether nothing indicates that the block was cut off.
    """
    block_type = str(get(block, "type"))
    if block_type == "tool_use":
        return _tool_use(block, streamed, finished=finished)
    return _BLOCKS.get(block_type, _other)(block)


def _tool_use(block: Any, streamed: str | None, *, finished: bool) -> ToolCall:
    value = get(block, "input")
    call = tool_call(get(block, "id"), get(block, "name"), json_text(value), finished=finished)
    # A block whose input has no text at all has the input of its start: no arguments.
    same = streamed is not None and parse_object(streamed or "{}") == value
    return call.model_copy(update={"arguments_raw": streamed}) if same else call


def _text(block: Any) -> Part:
    citations = tuple(map(raw_of, get(block, "citations") or ()))
    return Text(text=get(block, "text") or "", citations=citations or None)


def _thinking(block: Any) -> Part:
    return Reasoning(text=get(block, "thinking") or "", signature=get(block, "signature") or None)


def _redacted(block: Any) -> Part:
    return RedactedReasoning(data=get(block, "data") or "")


def _other(block: Any) -> Part:
    """Return a block of the provider's own tools, or one of an unknown type, as it is."""
    block_type = str(get(block, "type"))
    named = block_type in SERVER_TOOLS
    return ServerTool(
        name=(as_text(get(block, "name")) if named else None) or block_type,
        id=as_text(get(block, "id") or get(block, "tool_use_id")),
        data=get(block, "input") if named else raw_of(block),
    )


_BLOCKS: Mapping[str, Callable[[Any], Part]] = {
    "text": _text,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
}


# --- Types --------------------------------------------------------------------------------------


def _vocabulary() -> Vocabulary:
    from anthropic import types
    from anthropic.types import beta

    plain, with_beta = _vocabulary_of(types, ""), _vocabulary_of(beta, "Beta")
    return {category: plain[category] | words for category, words in with_beta.items()}


def _vocabulary_of(types: Any, prefix: str) -> Vocabulary:
    def named(name: str) -> Any:
        return getattr(types, f"{prefix}{name}", None)  # older versions have fewer types

    start = annotation_of(named("RawContentBlockStartEvent"), "content_block")
    return {
        "event": tags(named("RawMessageStreamEvent")),
        "block": tags(start),
        "delta": tags(annotation_of(named("RawContentBlockDeltaEvent"), "delta")),
        "finish": literals(annotation_of(named("Message"), "stop_reason")),
        "usage": integer_paths(named("Usage")) | integer_paths(named("MessageDeltaUsage")),
    }


BINDING = SdkBinding(
    protocol=_PROTOCOL,
    distribution=DISTRIBUTION,
    package="anthropic",
    modules=("anthropic.resources.messages",),
    open_stream=_open_stream,
    open_stream_sync=_open_stream_sync,
    request_answer=_request_answer,
    read_answer=read_message,
    reader=MessagesReader,
    vocabulary=_vocabulary,
    helper=Helper(_open_helper, MessagesHelperReader),
)
