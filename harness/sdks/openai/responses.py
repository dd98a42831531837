"""The Responses API of the OpenAI SDK: deltas are shown; the final response counts.

https://developers.openai.com/api/docs/guides/streaming-responses (the events to listen for)
https://developers.openai.com/api/docs/guides/function-calling (streaming)
https://developers.openai.com/api/docs/api-reference/responses/object (``Response``)
https://github.com/openai/openai-python/blob/main/helpers.md (``responses.stream``)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from harness.errors import StreamError
from harness.model import Chunk, Reasoning, Refusal, ServerTool, Text, ToolCall
from harness.protocols.openai_responses.vocabulary import USAGE
from harness.protocols.paths import get
from harness.sdks.binding import Helper, SdkBinding
from harness.sdks.openai.clients import DISTRIBUTION, async_client, sync_client
from harness.sdks.reader import SdkReader
from harness.sdks.result import SdkResult, UsageTable, as_text, tool_call, usage_from
from harness.streaming.error_mapping import error_info
from harness.streaming.usage import raw_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractAsyncContextManager

    from harness.model import ChunkKind, Part
    from harness.sdks.binding import Vocabulary
    from harness.sdks.call import SdkCall
    from harness.sdks.clients import SdkClients

USAGE_TABLE = UsageTable(USAGE)

# --- Requests -----------------------------------------------------------------------------------


async def _open_stream(clients: SdkClients, call: SdkCall) -> Any:
    return await async_client(clients, call).responses.create(stream=True, **call.request)


def _open_stream_sync(clients: SdkClients, call: SdkCall) -> Any:
    return sync_client(clients, call).responses.create(stream=True, **call.request)


async def _request_answer(clients: SdkClients, call: SdkCall) -> Any:
    return await async_client(clients, call).responses.create(**call.request)


def _open_helper(clients: SdkClients, call: SdkCall) -> AbstractAsyncContextManager[Any]:
    responses = async_client(clients, call).responses
    helper: AbstractAsyncContextManager[Any] = responses.stream(**call.request)
    return helper


# --- Streams ------------------------------------------------------------------------------------

# Chunk kinds of text -> the part they become, in the order in which a response holds them.
_PARTS: Mapping[ChunkKind, type[Reasoning | Text | Refusal]] = {
    "reasoning": Reasoning,
    "text": Text,
    "refusal": Refusal,
}


class ResponsesReader(SdkReader):
    """The loop over ``responses.create(stream=True)``."""

    kinds: ClassVar[Mapping[str, ChunkKind]] = {
        "response.output_text.delta": "text",
        "response.refusal.delta": "refusal",
        "response.reasoning_summary_text.delta": "reasoning",
        "response.reasoning_text.delta": "reasoning",
    }

    def __init__(self) -> None:
        self._final: SdkResult | None = None
        self._texts: dict[ChunkKind, str] = dict.fromkeys(_PARTS, "")
        self._calls: dict[int, Any] = {}

    def read(self, event: Any) -> Iterator[Chunk]:
        """Read one event."""
        if event.type == "response.completed":
            self.take_final(event.response)
        elif event.type == "error":
            raise StreamError(error_info(event))
        else:
            yield from self.read_delta(event)

    def read_delta(self, event: Any) -> Iterator[Chunk]:
        """Read an event that is not final; calls accumulate by output index."""
        if event.type in self.kinds:
            kind = self.kinds[event.type]
            self._texts[kind] += event.delta
            yield Chunk(kind, event.delta)
        elif event.type == "response.output_item.added" and event.item.type == "function_call":
            self._calls[event.output_index] = event.item
            index, item = self._ordinal(event.output_index), event.item
            yield Chunk("tool_call", index=index, id=item.call_id, name=item.name)
        elif event.type == "response.function_call_arguments.delta":
            self._calls[event.output_index].arguments += event.delta
            yield Chunk("tool_call", index=self._ordinal(event.output_index), arguments=event.delta)

    def take_final(self, response: Any) -> None:
        """Take the final response."""
        self._final, self.terminal = read_response(response), True

    def result(self) -> SdkResult:
        """Return what the final response contains, or the deltas before it has come."""
        if self._final is not None:
            return self._final
        texts = [part(text=self._texts[kind]) for kind, part in _PARTS.items() if self._texts[kind]]
        calls = [function_call(item, finished=False) for item in self._calls.values()]
        return SdkResult((*texts, *calls))

    def _ordinal(self, output_index: int) -> int:
        return list(self._calls).index(output_index)


class ResponsesHelperReader(ResponsesReader):
    """The same loop over the events of ``responses.stream``, which has no public snapshot."""

    def read(self, event: Any) -> Iterator[Chunk]:
        """Read one event; what is final comes from the helper."""
        return self.read_delta(event)

    async def conclude(self) -> None:
        """Take the helper's final response."""
        self.take_final(await self.stream.get_final_response())


# --- Finished objects ---------------------------------------------------------------------------

# Statuses of an output item that was not finished.
_UNFINISHED = frozenset({"in_progress", "incomplete"})


def read_response(response: Any) -> SdkResult:
    """Return what a ``Response`` contains; its reason for being incomplete precedes its status."""
    reason = get(response, "incomplete_details.reason") or get(response, "status")
    return SdkResult(
        content=tuple(p for item in get(response, "output") or () for p in _parts(item)),
        finish_raw=as_text(reason),
        usage=usage_from(USAGE_TABLE, get(response, "usage")),
        response_id=as_text(get(response, "id")),
        model=as_text(get(response, "model")),
    )


def function_call(item: Any, *, finished: bool = True) -> ToolCall:
    """Return a function call item, unfinished by its status or if the caller says so."""
    finished = finished and get(item, "status") not in _UNFINISHED
    text = get(item, "arguments") or ""
    return tool_call(get(item, "call_id"), get(item, "name"), text, finished=finished)


def _parts(item: Any) -> Iterator[Part]:
    item_type = str(get(item, "type"))
    if item_type in _ITEMS:
        yield from _ITEMS[item_type](item)
    else:
        yield ServerTool(name=item_type, id=as_text(get(item, "id")), data=raw_of(item))


def _message(item: Any) -> Iterator[Part]:
    for part in get(item, "content") or ():
        if get(part, "type") == "refusal":
            yield Refusal(text=get(part, "refusal") or "")
        else:
            citations = tuple(map(raw_of, get(part, "annotations") or ()))
            yield Text(text=get(part, "text") or "", citations=citations or None)


def _reasoning(item: Any) -> Iterator[Part]:
    parts = [*(get(item, "summary") or ()), *(get(item, "content") or ())]
    text = "".join(get(part, "text") or "" for part in parts)
    signature = get(item, "encrypted_content")
    if text or signature:
        yield Reasoning(text=text, signature=signature)


def _function_call(item: Any) -> Iterator[Part]:
    yield function_call(item)


def _custom_call(item: Any) -> Iterator[Part]:
    """Yield a call whose input is free text, so that no arguments can be parsed from it."""
    text = get(item, "input") or ""
    yield tool_call(get(item, "call_id"), get(item, "name"), text, finished=False)


_ITEMS: Mapping[str, Callable[[Any], Iterator[Part]]] = {
    "message": _message,
    "reasoning": _reasoning,
    "function_call": _function_call,
    "custom_tool_call": _custom_call,
}


# --- Types --------------------------------------------------------------------------------------


def _vocabulary() -> Vocabulary:
    from openai.types import responses
    from openai.types.responses.response import IncompleteDetails

    from harness.sdks.introspection import annotation_of, integer_paths, literals, tags

    content = annotation_of(responses.ResponseContentPartAddedEvent, "part")
    summary = annotation_of(
        getattr(responses, "ResponseReasoningSummaryPartAddedEvent", None), "part"
    )  # None in versions of openai without summaries
    return {
        "event": tags(responses.ResponseStreamEvent),
        "item": tags(responses.ResponseOutputItem),
        "part": tags(content) | tags(summary),
        "status": literals(responses.ResponseStatus),
        "incomplete": literals(annotation_of(IncompleteDetails, "reason")),
        "usage": integer_paths(responses.ResponseUsage),
    }


BINDING = SdkBinding(
    protocol="openai_responses",
    distribution=DISTRIBUTION,
    package="openai",
    modules=("openai.resources.responses",),
    open_stream=_open_stream,
    open_stream_sync=_open_stream_sync,
    request_answer=_request_answer,
    read_answer=read_response,
    reader=ResponsesReader,
    vocabulary=_vocabulary,
    helper=Helper(_open_helper, ResponsesHelperReader),
    # https://developers.openai.com/api/docs/guides/function-calling
    # https://developers.openai.com/api/docs/guides/structured-outputs (refusals)
    finish_by_content=((ToolCall, "tool_calls"), (Refusal, "refusal")),
)
