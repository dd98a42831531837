"""The next request: whether a provider accepts what was delivered when it is sent back.

The outcome becomes an assistant message, each call that may be executed gets a result, and the
whole goes through ``streaming.request_sanitizing``, as in a product. The rules are the providers':
their APIs refuse a whole request for one bad block.

This check uses a part of the system it checks. This is intended: the requirement is about
what a client sends, which is the outcome after sanitising. A second implementation of sanitising
here would check itself. The rules below share no code with it, and sanitising the result once more
must not change it.

https://docs.claude.com/en/docs/agents-and-tools/tool-use/implement-tool-use
https://developers.openai.com/api/reference/resources/chat
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from harness.model import Outcome, ToolCall

    Message = Mapping[str, Any]

ACCEPTED = "accepted"
_QUESTION = "Hello"


def next_request(outcome: Outcome) -> str:
    """Return ``accepted``, or why an API refuses the request that follows an outcome."""
    for api in _apis():
        messages = api.sanitise(api.write(outcome))
        reason = next(api.refusals(messages), None)
        if reason is None and api.sanitise(messages) != messages:
            reason = "sanitising it twice changes it again"
        if reason:
            return reason
    return ACCEPTED


class _Api(NamedTuple):
    """One form of messages: how an outcome is written, sanitised, and refused."""

    write: Callable[[Outcome], list[Any]]
    sanitise: Callable[[Sequence[Any]], list[Any]]
    refusals: Callable[[Sequence[Any]], Iterator[str]]


def _apis() -> tuple[_Api, ...]:
    # Imported here: most scenarios have no `next_request`.
    from harness.streaming.request_sanitizing.chat import sanitise_chat
    from harness.streaming.request_sanitizing.messages import sanitise

    return (
        _Api(anthropic_messages, sanitise, _anthropic_refusals),
        _Api(chat_messages, sanitise_chat, _chat_refusals),
    )


def anthropic_messages(outcome: Outcome) -> list[Message]:
    """Return an outcome and the results of its calls as messages of Anthropic's API."""
    blocks: list[Any] = []
    for part in outcome.content:
        if part.kind in {"text", "refusal"}:
            blocks.append({"type": "text", "text": part.text})
        elif part.kind == "reasoning" and part.signature:
            thinking = {"thinking": part.text, "signature": part.signature}
            blocks.append({"type": "thinking", **thinking})
        elif part.kind == "redacted_reasoning":
            blocks.append({"type": "redacted_thinking", "data": part.data})
    calls = _executable(outcome)
    blocks += [
        {"type": "tool_use", "id": c.id, "name": c.name, "input": c.arguments} for c in calls
    ]
    results = [{"type": "tool_result", "tool_use_id": c.id, "content": "ok"} for c in calls]
    return [
        {"role": "user", "content": _QUESTION},
        {"role": "assistant", "content": blocks},
        {"role": "user", "content": results or _QUESTION},
    ]


def chat_messages(outcome: Outcome) -> list[Message]:
    """Return the same as messages of OpenAI's Chat API."""
    calls = [
        {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments_raw}}
        for c in _executable(outcome)
    ]
    answer: dict[str, Any] = {"role": "assistant", "content": outcome.text, "tool_calls": calls}
    results = [{"role": "tool", "tool_call_id": call["id"], "content": "ok"} for call in calls]
    first, last = {"role": "user", "content": _QUESTION}, {"role": "user", "content": "?"}
    return [first, answer, *results, last]


def _executable(outcome: Outcome) -> list[ToolCall]:
    return [call for call in outcome.tool_calls if call.complete]


def _anthropic_refusals(messages: Sequence[Message]) -> Iterator[str]:
    """Yield why Anthropic's API refuses a request."""
    if messages and messages[0]["role"] != "user":
        yield "the first message is not the user's"
    calls: list[Any] = []
    for place, message in enumerate(messages):
        blocks = message["content"] if isinstance(message["content"], list) else []
        if not message["content"] and place < len(messages) - 1:
            yield "a message is empty"
        if any(block["type"] == "text" and not block["text"].strip() for block in blocks):
            yield "a text block is blank"
        results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        if calls != results:
            yield "a call does not have exactly one result in the next message"
        calls = [block["id"] for block in blocks if block["type"] == "tool_use"]
        yield from _wrong_ids(calls)


def _chat_refusals(messages: Sequence[Message]) -> Iterator[str]:
    """Yield why Chat Completions servers refuse a request."""
    calls: list[Any] = []
    for message in messages:
        if message["role"] == "tool":
            if not calls or message["tool_call_id"] != calls.pop(0):
                yield "a result does not follow its call"
            continue
        if calls:
            yield "a call has no result"
        calls = [call["id"] for call in message.get("tool_calls") or ()]
        if "tool_calls" in message and not calls:
            yield "a list of calls is empty"
        yield from _wrong_ids(calls)


def _wrong_ids(ids: Sequence[Any]) -> Iterator[str]:
    if not all(isinstance(call_id, str) and call_id for call_id in ids):
        yield "a call has no id"
    if len(set(ids)) != len(ids):
        yield "two calls have the same id"
