"""OpenAI's ``ChatCompletion``: https://developers.openai.com/api/docs/api-reference/chat/object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.model import Refusal, Text
from harness.protocols.paths import get
from harness.targets.final_objects.common import Final, is_whole, tool_call, usage_from, word

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.model import Part, ToolCall


def of_completion(completion: Any) -> Final:
    """Return what a ``ChatCompletion`` says in its first choice."""
    choice = next(iter(get(completion, "choices") or ()), None)
    finish_raw = word(get(choice, "finish_reason"))
    return Final(
        content=of_words_and_calls(
            get(choice, "message.content"),
            get(choice, "message.refusal"),
            get(choice, "message.tool_calls") or (),
            whole=is_whole("openai_chat", finish_raw),
        ),
        finish_raw=finish_raw,
        usage=usage_from("openai_chat", get(completion, "usage")),
        response_id=word(get(completion, "id")),
        model=word(get(completion, "model")),
    )


def of_words_and_calls(
    text: object, refusal: object, calls: Iterable[Any], *, whole: bool
) -> tuple[Part, ...]:
    """Return the parts of a chat message, in the order of its fields.

    Args:
        text: its ``content``; some servers send a list, which is no text.
        refusal: its ``refusal``.
        calls: its ``tool_calls``.
        whole: whether nothing says that the calls were cut.
    """
    words = (Text(text=text),) if isinstance(text, str) and text else ()
    refused = (Refusal(text=refusal),) if isinstance(refusal, str) and refusal else ()
    return (*words, *refused, *(_call(call, whole=whole) for call in calls))


def _call(call: Any, *, whole: bool) -> ToolCall:
    text = get(call, "function.arguments") or ""
    return tool_call(get(call, "id"), get(call, "function.name"), text, whole=whole)
