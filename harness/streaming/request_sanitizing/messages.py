"""Sanitizing messages for the Anthropic Messages API, which rejects a request with one bad block.

A stored history has defects where a run failed: a call that was cancelled, a result that was stored
twice, a text that stayed empty. ``sanitise`` returns new messages that the API accepts; use the
same ones to count tokens.

https://docs.claude.com/en/api/messages
https://docs.claude.com/en/docs/agents-and-tools/tool-use/implement-tool-use

Rules of this file: nothing is changed in place; sanitizing twice changes nothing more; the result
of each call is kept once; a result without a call is dropped.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    Block: TypeAlias = Mapping[str, Any]
    Message: TypeAlias = Mapping[str, Any]
    Step: TypeAlias = Callable[[Sequence[Message]], list[Message]]

CANCELLED = "[cancelled]"  # the result of a call that never ran (catalogue CA-006)
CONTINUED = "[continued]"  # inserted where the conversation begins with the model


def sanitise(messages: Sequence[Message]) -> list[Message]:
    """Return messages the API accepts: every step of ``STEPS``, in order.

    Args:
        messages: each with ``role`` (user or assistant) and ``content`` (text or blocks).
    """
    sanitised = list(messages)
    for step in STEPS:
        sanitised = step(sanitised)
    return sanitised


def drop_empty(messages: Sequence[Message]) -> list[Message]:
    """Drop blank text blocks and messages without content.

    A final assistant message is a prefill, the one message that may be empty.
    """
    kept: list[Message] = []
    for position, message in enumerate(messages):
        content = _filled(message["content"])
        prefill = position == len(messages) - 1 and message["role"] == "assistant"
        if content or prefill:
            kept.append({**message, "content": content})
    return kept


def join_adjacent(messages: Sequence[Message]) -> list[Message]:
    """Join adjacent messages of one role, as the API itself does."""
    joined: list[Message] = []
    for _, group in groupby(messages, key=lambda message: message["role"]):
        first, *others = group
        if others:
            blocks = [b for message in (first, *others) for b in _blocks(message["content"])]
            first = {**first, "content": blocks}
        joined.append(first)
    return joined


def unique_calls(messages: Sequence[Message]) -> list[Message]:
    """Keep the first call of each id in a message."""
    return [_with_blocks(message, _first_calls) for message in messages]


def one_result_per_call(messages: Sequence[Message]) -> list[Message]:
    """Merge the results of one call in a message; equal blocks count once."""
    return [_with_blocks(message, _merged_results) for message in messages]


def answer_calls(messages: Sequence[Message]) -> list[Message]:
    """Put the result of each call first in the next message, and drop results without a call.

    A result in a later message is moved. A call without any result never ran; its result is
    ``CANCELLED``.
    """
    answered: list[Message] = []
    pending: list[str] = []  # ids of the calls in the message before
    for position, message in enumerate([*messages, _END]):
        content = message["content"]
        if message["role"] == "user":
            content = _answers(pending, _blocks(content), messages[position:])
            if content == _blocks(message["content"]):
                content = message["content"]  # unchanged
        elif pending:
            blocks = _answers(pending, (), messages[position:])
            answered.append({"role": "user", "content": blocks})
        if content or message["role"] == "assistant":
            answered.append({**message, "content": content})
        pending = [block["id"] for block in _blocks(content) if _is(block, "tool_use")]
    return answered


def user_first(messages: Sequence[Message]) -> list[Message]:
    """Make the first message one of the user."""
    if messages and messages[0]["role"] != "user":
        return [{"role": "user", "content": CONTINUED}, *messages]
    return list(messages)


STEPS: Sequence[Step] = (
    drop_empty,
    join_adjacent,
    unique_calls,
    one_result_per_call,
    answer_calls,
    join_adjacent,  # a message that held only results without a call is gone
    user_first,
)


def _filled(content: Any) -> Any:
    """Return content without blank texts, also inside tool results."""
    if isinstance(content, str):
        return content if content.strip() else ""
    filled = [block for block in content if not _blank(block)]
    return [
        {**block, "content": _filled(block["content"])} if block.get("content") else block
        for block in filled
    ]


def _blank(block: Block) -> bool:
    return _is(block, "text") and not (block.get("text") or "").strip()


def _is(block: Block, block_type: str) -> bool:
    return block.get("type") == block_type


def _blocks(content: Any) -> list[Block]:
    """Return content as blocks."""
    if not isinstance(content, str):
        return list(content or ())
    return [{"type": "text", "text": content}] if content.strip() else []


def _with_blocks(message: Message, change: Callable[[list[Block]], list[Block]]) -> Message:
    """Return a message with changed blocks; where nothing changes, the message itself."""
    blocks = _blocks(message["content"])
    changed = change(blocks)
    return message if changed == blocks else {**message, "content": changed}


def _first_calls(blocks: Iterable[Block]) -> list[Block]:
    seen: set[str] = set()
    kept: list[Block] = []
    for block in blocks:
        if _is(block, "tool_use"):
            if block["id"] in seen:
                continue
            seen.add(block["id"])
        kept.append(block)
    return kept


def _merged_results(blocks: Iterable[Block]) -> list[Block]:
    positions: dict[str, int] = {}
    kept: list[Block] = []
    for block in blocks:
        call = block["tool_use_id"] if _is(block, "tool_result") else None
        if call is None or call not in positions:
            if call is not None:
                positions[call] = len(kept)
            kept.append(block)
        else:
            kept[positions[call]] = _merged(kept[positions[call]], block)
    return kept


def _merged(result: Block, other: Block) -> Block:
    blocks = _blocks(result.get("content"))
    new = [block for block in _blocks(other.get("content")) if block not in blocks]
    merged = {**result, "content": [*blocks, *new]} if new else dict(result)
    if other.get("is_error"):
        merged["is_error"] = True
    return merged


def _answers(
    calls: Sequence[str], blocks: Sequence[Block], later: Sequence[Message]
) -> list[Block]:
    """Return the blocks of an answer: the result of each call, then the others."""
    given = {block["tool_use_id"]: block for block in blocks if _is(block, "tool_result")}
    results = [given.get(call) or _later_result(call, later) or _cancelled(call) for call in calls]
    return [*results, *(block for block in blocks if not _is(block, "tool_result"))]


def _later_result(call: str, messages: Sequence[Message]) -> Block | None:
    """Return the result of a call in later messages, but not that of a later call with its id."""
    for block in (b for message in messages for b in _blocks(message["content"])):
        if _is(block, "tool_use") and block["id"] == call:
            return None
        if _is(block, "tool_result") and block["tool_use_id"] == call:
            return block
    return None


def _cancelled(call: str) -> Block:
    return {"type": "tool_result", "tool_use_id": call, "content": CANCELLED, "is_error": True}


_END: Message = {"role": None, "content": ""}  # stands after the last message
