"""Messages made fit for the Anthropic Messages API, which refuses a request for one bad block.

A history is written while things go wrong: a call that was cancelled, a result that was stored
twice, a text that stayed empty. ``sanitise`` takes such messages and returns new ones that are
accepted; the request and whoever counts its tokens use the same ones.

https://docs.claude.com/en/api/messages
https://docs.claude.com/en/docs/agents-and-tools/tool-use/implement-tool-use

Rules of this file: nothing is changed in place; doing it twice changes nothing more; what a tool
answered to a call stays, once; what nobody asked for goes.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    Block: TypeAlias = Mapping[str, Any]
    Message: TypeAlias = Mapping[str, Any]
    Step: TypeAlias = Callable[[Sequence[Message]], list[Message]]

CANCELLED = "[cancelled]"  # what a call is answered with that never ran (catalogue CA-006)
CONTINUED = "[continued]"  # what is put before a conversation that the model would begin


def sanitise(messages: Sequence[Message]) -> list[Message]:
    """Return messages the API accepts: every step of ``STEPS``, in order.

    Args:
        messages: each with ``role`` (user or assistant) and ``content`` (text or blocks).
    """
    fit = list(messages)
    for step in STEPS:
        fit = step(fit)
    return fit


def drop_empty(messages: Sequence[Message]) -> list[Message]:
    """Drop blank text blocks, and messages without content; a final assistant message may stay.

    It is a prefill, and the one message that may be empty.
    """
    kept: list[Message] = []
    for place, message in enumerate(messages):
        content = _filled(message["content"])
        prefill = place == len(messages) - 1 and message["role"] == "assistant"
        if content or prefill:
            kept.append({**message, "content": content})
    return kept


def join_neighbours(messages: Sequence[Message]) -> list[Message]:
    """Join messages of one role that follow one another, as the API itself would."""
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


def one_result_a_call(messages: Sequence[Message]) -> list[Message]:
    """Merge the results of one call in a message; the same words count once."""
    return [_with_blocks(message, _merged_results) for message in messages]


def answer_calls(messages: Sequence[Message]) -> list[Message]:
    """Have each call answered in the next message, first thing, and nothing answered but calls.

    An answer that stands further on is put where it belongs. A call nobody answered never ran: it
    is answered with ``CANCELLED``.
    """
    answered: list[Message] = []
    asked: list[str] = []
    for place, message in enumerate([*messages, _NOBODY]):
        content = message["content"]
        if message["role"] == "user":
            content = _answers(asked, _blocks(content), messages[place:])
            if content == _blocks(message["content"]):
                content = message["content"]  # as it was written
        elif asked:
            blocks = _answers(asked, (), messages[place:])
            answered.append({"role": "user", "content": blocks})
        if content or message["role"] == "assistant":
            answered.append({**message, "content": content})
        asked = [block["id"] for block in _blocks(content) if _is(block, "tool_use")]
    return answered


def user_first(messages: Sequence[Message]) -> list[Message]:
    """Have the user begin."""
    if messages and messages[0]["role"] != "user":
        return [{"role": "user", "content": CONTINUED}, *messages]
    return list(messages)


STEPS: Sequence[Step] = (
    drop_empty,
    join_neighbours,
    unique_calls,
    one_result_a_call,
    answer_calls,
    join_neighbours,  # a message that only answered what nobody asked is gone
    user_first,
)


def _filled(content: Any) -> Any:
    """Return content without blank texts, also inside of tool results."""
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
    """Return a message with its blocks changed; one that stays as it is keeps its spelling."""
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
    places: dict[str, int] = {}
    kept: list[Block] = []
    for block in blocks:
        call = block["tool_use_id"] if _is(block, "tool_result") else None
        if call is None or call not in places:
            if call is not None:
                places[call] = len(kept)
            kept.append(block)
        else:
            kept[places[call]] = _merged(kept[places[call]], block)
    return kept


def _merged(result: Block, other: Block) -> Block:
    said = _blocks(result.get("content"))
    new = [block for block in _blocks(other.get("content")) if block not in said]
    merged = {**result, "content": [*said, *new]} if new else dict(result)
    if other.get("is_error"):
        merged["is_error"] = True
    return merged


def _answers(
    asked: Sequence[str], blocks: Sequence[Block], later: Sequence[Message]
) -> list[Block]:
    """Return the blocks of an answer: first the result of each call that was asked."""
    given = {block["tool_use_id"]: block for block in blocks if _is(block, "tool_result")}
    results = [given.get(call) or _found(call, later) or _never_ran(call) for call in asked]
    return [*results, *(block for block in blocks if not _is(block, "tool_result"))]


def _found(call: str, messages: Sequence[Message]) -> Block | None:
    """Return the result of a call further on, but not that of a later call with its id."""
    for block in (b for message in messages for b in _blocks(message["content"])):
        if _is(block, "tool_use") and block["id"] == call:
            return None
        if _is(block, "tool_result") and block["tool_use_id"] == call:
            return block
    return None


def _never_ran(call: str) -> Block:
    return {"type": "tool_result", "tool_use_id": call, "content": CANCELLED, "is_error": True}


_NOBODY: Message = {"role": None, "content": ""}  # speaks after the last message
