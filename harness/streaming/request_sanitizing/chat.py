"""Sanitizing messages for OpenAI Chat Completions and compatible servers.

Each call of an assistant message must be followed by exactly one ``tool`` message with its id, and
``tool`` messages are allowed nowhere else: servers reject anything else with status 400.

https://developers.openai.com/api/reference/resources/chat

Rules of this file: those of ``messages``, which does the same for Anthropic's messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from harness.streaming.request_sanitizing.messages import CANCELLED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    Message: TypeAlias = Mapping[str, Any]


def sanitise_chat(messages: Sequence[Message]) -> list[Message]:
    """Return messages in which every call has one result, directly after it.

    Args:
        messages: each with ``role``; an assistant message has its calls in ``tool_calls``.
    """
    sanitised: list[Message] = []
    for position, original in enumerate(messages, 1):
        message = _with_unique_calls(original)
        if message["role"] == "tool":
            continue  # the result of a call was added together with it
        sanitised.append(message)
        calls = [call["id"] for call in message.get("tool_calls") or ()]
        if calls:
            sanitised += _answers(calls, _results(calls, messages[position:]))
    return sanitised


def _results(calls: Sequence[str], later: Sequence[Message]) -> Iterator[Message]:
    """Yield the tool messages of these calls, until one of their ids is used again."""
    for message in later:
        if any(call["id"] in calls for call in message.get("tool_calls") or ()):
            return
        if message["role"] == "tool" and message["tool_call_id"] in calls:
            yield message


def _with_unique_calls(message: Message) -> Message:
    """Keep the first call of each id; an empty list of calls is dropped, as servers reject it."""
    calls = message.get("tool_calls")
    if calls is None:
        return message
    first = {call["id"]: call for call in reversed(calls)}
    kept = [call for call in calls if first[call["id"]] is call]
    if not kept:
        return {key: value for key, value in message.items() if key != "tool_calls"}
    return message if len(kept) == len(calls) else {**message, "tool_calls": kept}


def _answers(calls: Iterable[str], results: Iterable[Message]) -> list[Message]:
    """Return one tool message per call, in the order of the calls."""
    given: dict[str, Message] = {}
    for result in results:
        call = result["tool_call_id"]
        given[call] = _merged(given[call], result) if call in given else result
    cancelled = {"role": "tool", "content": CANCELLED}
    return [given.get(call) or {**cancelled, "tool_call_id": call} for call in calls]


def _merged(result: Message, other: Message) -> Message:
    """Join the content of two messages; equal parts count once."""
    parts = _parts(result["content"])
    new = [part for part in _parts(other["content"]) if part not in parts]
    return {**result, "content": [*parts, *new]} if new else result


def _parts(content: Any) -> list[Any]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return list(content or ())
