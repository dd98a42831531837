"""The next request: whether what was delivered, sent back, is accepted.

The answer becomes an assistant's message, each of its calls that may run is answered, and the whole
goes through the layer's own hygiene. The rules are the providers': their API refuses a request for
one bad block.

https://docs.claude.com/en/docs/agents-and-tools/tool-use/implement-tool-use
https://developers.openai.com/api/reference/resources/chat
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.streaming.request_sanitizing.chat import sanitise_chat
from harness.streaming.request_sanitizing.messages import sanitise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from harness.model import Outcome, ToolCall

    Message = Mapping[str, Any]

ACCEPTED = "accepted"
_ASKED = "Hello"


def next_request(outcome: Outcome) -> str:
    """Return ``accepted``, or what an API would say against the request that follows."""
    for written, fit, wrong in _SHAPES:
        messages = fit(written(outcome))
        found = next(wrong(messages), None)
        if found is None and fit(messages) != messages:
            found = "made fit twice, it changes again"
        if found:
            return found
    return ACCEPTED


def blocks_of(outcome: Outcome) -> list[Message]:
    """Return an outcome and the answers to its calls as messages of Anthropic's API."""
    blocks: list[Any] = []
    for part in outcome.content:
        if part.kind in {"text", "refusal"}:
            blocks.append({"type": "text", "text": part.text})
        elif part.kind == "reasoning" and part.signature:
            thought = {"thinking": part.text, "signature": part.signature}
            blocks.append({"type": "thinking", **thought})
        elif part.kind == "redacted_reasoning":
            blocks.append({"type": "redacted_thinking", "data": part.data})
    calls = _runnable(outcome)
    blocks += [
        {"type": "tool_use", "id": c.id, "name": c.name, "input": c.arguments} for c in calls
    ]
    answers = [{"type": "tool_result", "tool_use_id": c.id, "content": "ok"} for c in calls]
    return [
        {"role": "user", "content": _ASKED},
        {"role": "assistant", "content": blocks},
        {"role": "user", "content": answers or _ASKED},
    ]


def chat_of(outcome: Outcome) -> list[Message]:
    """Return the same as messages of OpenAI's Chat API."""
    calls = [
        {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments_raw}}
        for c in _runnable(outcome)
    ]
    said: dict[str, Any] = {"role": "assistant", "content": outcome.text, "tool_calls": calls}
    answers = [{"role": "tool", "tool_call_id": call["id"], "content": "ok"} for call in calls]
    return [{"role": "user", "content": _ASKED}, said, *answers, {"role": "user", "content": "?"}]


def _runnable(outcome: Outcome) -> list[ToolCall]:
    return [call for call in outcome.tool_calls if call.complete]


def _wrong_blocks(messages: Sequence[Message]) -> Iterator[str]:
    """Yield what Anthropic's API refuses in a request."""
    if messages and messages[0]["role"] != "user":
        yield "the user does not begin"
    asked: list[Any] = []
    for place, message in enumerate(messages):
        blocks = message["content"] if isinstance(message["content"], list) else []
        if not message["content"] and place < len(messages) - 1:
            yield "a message is empty"
        if any(block["type"] == "text" and not block["text"].strip() for block in blocks):
            yield "a text is blank"
        answered = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        if asked != answered:
            yield "a call is not answered in the next message, once"
        asked = [block["id"] for block in blocks if block["type"] == "tool_use"]
        yield from _wrong_ids(asked)


def _wrong_chat(messages: Sequence[Message]) -> Iterator[str]:
    """Yield what Chat servers refuse in a request."""
    asked: list[Any] = []
    for message in messages:
        if message["role"] == "tool":
            if not asked or message["tool_call_id"] != asked.pop(0):
                yield "an answer stands where no call was made"
            continue
        if asked:
            yield "a call is not answered"
        asked = [call["id"] for call in message.get("tool_calls") or ()]
        if "tool_calls" in message and not asked:
            yield "an empty list of calls"
        yield from _wrong_ids(asked)


def _wrong_ids(ids: Sequence[Any]) -> Iterator[str]:
    if not all(isinstance(call_id, str) and call_id for call_id in ids):
        yield "a call without an id"
    if len(set(ids)) != len(ids):
        yield "two calls of one id"


_SHAPES: tuple[
    tuple[
        Callable[[Outcome], list[Any]],
        Callable[[Sequence[Any]], list[Any]],
        Callable[[Sequence[Any]], Iterator[str]],
    ],
    ...,
] = ((blocks_of, sanitise, _wrong_blocks), (chat_of, sanitise_chat, _wrong_chat))
