"""Anthropic's ``Message``: https://docs.claude.com/en/api/messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.model import Reasoning, RedactedReasoning, ServerTool, Text
from harness.protocols.anthropic_messages.vocabulary import SERVER_TOOLS
from harness.protocols.paths import get
from harness.streaming.usage import raw_of
from harness.targets.final_objects.common import (
    EMPTY,
    Final,
    is_whole,
    parsed,
    tool_call,
    usage_from,
    word,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.model import Part, ToolCall


def of_message(message: Any, streamed: Mapping[int, str]) -> Final:
    """Return what a ``Message`` says.

    Args:
        message: the SDK's object; it keeps the parsed input of a call, not its text.
        streamed: the text of each call's input, by the index of its block.
    """
    blocks = list(get(message, "content") or ())
    finish_raw = word(get(message, "stop_reason"))
    whole = is_whole("anthropic_messages", finish_raw)
    parts = (
        # Blocks follow one another: where the message was cut, the last one was.
        part_of(block, streamed.get(index), whole=whole or index < len(blocks) - 1)
        for index, block in enumerate(blocks)
    )
    return Final(
        content=tuple(part for part in parts if part not in EMPTY),
        finish_raw=finish_raw,
        usage=usage_from("anthropic_messages", get(message, "usage")),
        response_id=word(get(message, "id")),
        model=word(get(message, "model")),
    )


def part_of(block: Any, streamed: str | None = None, *, whole: bool = True) -> Part:
    """Return a content block as a part.

    Args:
        block: the SDK's object.
        streamed: the text of a call's input; where it means something else than the block's input,
            the block counts.
        whole: whether nothing says that the block was cut.
    """
    block_type = str(get(block, "type"))
    if block_type == "tool_use":
        return _tool_use(block, streamed, whole=whole)
    return _BLOCKS.get(block_type, _other)(block)


def _tool_use(block: Any, streamed: str | None, *, whole: bool) -> ToolCall:
    value = get(block, "input")
    call = tool_call(get(block, "id"), get(block, "name"), written(value), whole=whole)
    # A block whose input has no text at all has the input of its start: no arguments.
    same = streamed is not None and parsed(streamed or "{}") == value
    return call.model_copy(update={"arguments_raw": streamed}) if same else call


def _text(block: Any) -> Part:
    cited = tuple(raw_of(found) for found in get(block, "citations") or ())
    return Text(text=get(block, "text") or "", citations=cited or None)


def _thinking(block: Any) -> Part:
    return Reasoning(text=get(block, "thinking") or "", signature=get(block, "signature") or None)


def _redacted(block: Any) -> Part:
    return RedactedReasoning(data=get(block, "data") or "")


def _other(block: Any) -> Part:
    """Return a block of the provider's own tools, or one nobody knows, as it stands."""
    block_type = str(get(block, "type"))
    named = block_type in SERVER_TOOLS
    return ServerTool(
        name=(word(get(block, "name")) if named else None) or block_type,
        id=word(get(block, "id") or get(block, "tool_use_id")),
        data=get(block, "input") if named else raw_of(block),
    )


_BLOCKS: Mapping[str, Callable[[Any], Part]] = {
    "text": _text,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
}
