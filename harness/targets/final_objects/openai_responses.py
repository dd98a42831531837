"""OpenAI's ``Response``: https://developers.openai.com/api/docs/api-reference/responses/object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.model import Reasoning, Refusal, ServerTool, Text
from harness.protocols.paths import get
from harness.streaming.usage import raw_of
from harness.targets.final_objects.common import Final, tool_call, usage_from, word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.model import Part, ToolCall

# Statuses of an output item that say it was not finished.
_UNFINISHED = frozenset({"in_progress", "incomplete"})


def of_response(response: Any) -> Final:
    """Return what a ``Response`` says; why it is incomplete tells more than its status."""
    reason = get(response, "incomplete_details.reason") or get(response, "status")
    return Final(
        content=tuple(p for item in get(response, "output") or () for p in _parts(item)),
        finish_raw=word(reason),
        usage=usage_from("openai_responses", get(response, "usage")),
        response_id=word(get(response, "id")),
        model=word(get(response, "model")),
    )


def function_call(item: Any, *, whole: bool = True) -> ToolCall:
    """Return a function call item, cut if its status says so or the caller knows it."""
    whole = whole and get(item, "status") not in _UNFINISHED
    text = get(item, "arguments") or ""
    return tool_call(get(item, "call_id"), get(item, "name"), text, whole=whole)


def _parts(item: Any) -> Iterator[Part]:
    item_type = str(get(item, "type"))
    if item_type in _ITEMS:
        yield from _ITEMS[item_type](item)
    else:
        yield ServerTool(name=item_type, id=word(get(item, "id")), data=raw_of(item))


def _message(item: Any) -> Iterator[Part]:
    for part in get(item, "content") or ():
        if get(part, "type") == "refusal":
            yield Refusal(text=get(part, "refusal") or "")
        else:
            cited = tuple(raw_of(found) for found in get(part, "annotations") or ())
            yield Text(text=get(part, "text") or "", citations=cited or None)


def _reasoning(item: Any) -> Iterator[Part]:
    said = [*(get(item, "summary") or ()), *(get(item, "content") or ())]
    text = "".join(get(part, "text") or "" for part in said)
    signature = get(item, "encrypted_content")
    if text or signature:
        yield Reasoning(text=text, signature=signature)


def _function_call(item: Any) -> Iterator[Part]:
    yield function_call(item)


def _custom_call(item: Any) -> Iterator[Part]:
    """Yield a call whose input is free text, so that no arguments can be parsed from it."""
    text = get(item, "input") or ""
    yield tool_call(get(item, "call_id"), get(item, "name"), text, whole=False)


_ITEMS: Mapping[str, Callable[[Any], Iterator[Part]]] = {
    "message": _message,
    "reasoning": _reasoning,
    "function_call": _function_call,
    "custom_tool_call": _custom_call,
}
