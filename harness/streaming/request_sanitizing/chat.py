"""Messages made fit for OpenAI Chat Completions and its compatible servers.

Each call of an assistant message is followed by exactly one ``tool`` message with its id, and a
``tool`` message stands nowhere else: servers refuse anything else with a 400.

https://developers.openai.com/api/reference/resources/chat

Rules of this file: those of hygiene.py, which does the same for the other shape of messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from harness.streaming.request_sanitizing.messages import CANCELLED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    Message: TypeAlias = Mapping[str, Any]


def sanitise_chat(messages: Sequence[Message]) -> list[Message]:
    """Return messages in which every call is answered once, right after it was made.

    Args:
        messages: each with ``role``; calls stand in ``tool_calls`` of an assistant message.
    """
    fit: list[Message] = []
    for place, written in enumerate(messages, 1):
        message = _with_unique_calls(written)
        if message["role"] == "tool":
            continue  # if it answers a call, it was taken together with it
        fit.append(message)
        calls = [call["id"] for call in message.get("tool_calls") or ()]
        if calls:
            fit += _answers(calls, _results(calls, messages[place:]))
    return fit


def _results(calls: Sequence[str], later: Sequence[Message]) -> Iterator[Message]:
    """Yield the tool messages that answer these calls, until one of their ids is used again."""
    for message in later:
        if any(call["id"] in calls for call in message.get("tool_calls") or ()):
            return
        if message["role"] == "tool" and message["tool_call_id"] in calls:
            yield message


def _with_unique_calls(message: Message) -> Message:
    """Keep the first call of each id; an empty list of calls is refused, too."""
    calls = message.get("tool_calls")
    if calls is None:
        return message
    first = {call["id"]: call for call in reversed(calls)}
    kept = [call for call in calls if first[call["id"]] is call]
    if not kept:
        return {key: value for key, value in message.items() if key != "tool_calls"}
    return message if len(kept) == len(calls) else {**message, "tool_calls": kept}


def _answers(calls: Iterable[str], results: Iterable[Message]) -> list[Message]:
    """Return one tool message a call, in the order of the calls."""
    given: dict[str, Message] = {}
    for result in results:
        call = result["tool_call_id"]
        given[call] = _merged(given[call], result) if call in given else result
    never = {"role": "tool", "content": CANCELLED}
    return [given.get(call) or {**never, "tool_call_id": call} for call in calls]


def _merged(result: Message, other: Message) -> Message:
    """Join what two messages say; the same words count once."""
    said = _parts(result["content"])
    new = [part for part in _parts(other["content"]) if part not in said]
    return {**result, "content": [*said, *new]} if new else result


def _parts(content: Any) -> list[Any]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return list(content or ())
