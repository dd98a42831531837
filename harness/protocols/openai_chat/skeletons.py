"""The shorthand of scenarios for the Chat Completions stream.

Each word is one chunk with one choice, except where noted:

``role``               the opening delta: role and empty content
``content: TEXT``      a delta of text; ``refusal: TEXT`` of a refusal
``reasoning: TEXT``    ``reasoning_content``; {field: reasoning, text: TEXT} for other servers
``tool_call: {at: [0], id, name, arguments}``  one fragment; only what is written is sent, and
                       ``at: null`` leaves the index out
``delta: {…}``         any delta; ``finish: WORD`` the finish chunk, {reason, delta, usage, choice}
                       for more; ``usage: {…}`` the usage chunk, its choices empty
``chunk: {…}``         any chunk, laid over id, object, created and model
``error: {…}``         an error object in place of a chunk; ``done`` the sentinel
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from harness.model import JSON, Event
from harness.protocols.composing import Composer, merge
from harness.protocols.openai_chat.vocabulary import DONE, REASONING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.protocols.composing import Skeleton

RESPONSE_ID = "chatcmpl-1"
MODEL = "gpt-5-mini"
CREATED = 1760000000  # seconds since 1970; the same for every chunk


def chunk(body: JSON, *, response_id: str = RESPONSE_ID, model: str = MODEL) -> Event:
    """Return a chunk: ``body`` laid over what every chunk carries."""
    skeleton = {
        "id": response_id,
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": model,
        "choices": [],
    }
    return Event(None, merge(skeleton, body))


def choice(delta: JSON, finish_reason: str | None = None, index: int = 0) -> dict[str, JSON]:
    """Return one choice of a chunk."""
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish_reason}


def fragment(payload: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return one fragment of a tool call, holding only what the payload names.

    Args:
        payload: ``index`` (None leaves it out), ``id``, ``name``, ``arguments``.
    """
    written = {key: payload[key] for key in ("index", "id") if key in payload}
    if written.get("index", 0) is None:
        del written["index"]
    if "id" in written:
        written["type"] = "function"
    function = {key: payload[key] for key in ("name", "arguments") if key in payload}
    return {**written, "function": function}


def done() -> Event:
    """Return the sentinel that ends the stream."""
    return Event(None, DONE)


def error(body: JSON) -> Event:
    """Return an error, as it is sent in a stream with status 200."""
    return Event(None, {"error": body})


def _delta(_: Any, payload: dict[str, JSON]) -> Iterator[Event]:
    yield chunk({"choices": [choice(payload)]})


def _field(name: str) -> Skeleton:
    def write(_: Any, payload: dict[str, JSON]) -> Iterator[Event]:
        yield chunk({"choices": [choice({payload.get("field", name): payload["text"]})]})

    return write


def _role(_: Any, payload: dict[str, JSON]) -> Iterator[Event]:
    yield chunk({"choices": [choice(merge({"role": "assistant", "content": ""}, payload))]})


def _tool_call(_: Any, payload: dict[str, JSON]) -> Iterator[Event]:
    at = payload.get("at", [0])
    written = fragment({**payload, "index": None if at is None else at[0]})
    yield chunk({"choices": [choice({"tool_calls": [written]})]})


def _finish(_: Any, payload: dict[str, JSON]) -> Iterator[Event]:
    index, delta = payload.get("choice", 0), payload.get("delta", {})
    body: dict[str, JSON] = {"choices": [choice(delta, payload["reason"], index)]}
    if "usage" in payload:
        body["usage"] = payload["usage"]
    yield chunk(body)


def _usage(_: Any, payload: dict[str, JSON]) -> Iterator[Event]:
    counts = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    yield chunk({"usage": payload or counts})


def _chunk(_: Any, payload: dict[str, JSON]) -> Iterator[Event]:
    yield chunk(payload)


def _error(_: Any, payload: dict[str, JSON]) -> Iterator[Event]:
    server_error = {"message": "The server had an error", "type": "server_error", "code": None}
    yield error(merge(server_error, payload))


def _done(_: Any, __: dict[str, JSON]) -> Iterator[Event]:
    yield done()


class ChatComposer(Composer):
    """Writes a Chat Completions stream from a scenario's shorthand."""

    skeletons: ClassVar[Mapping[str, Skeleton]] = {
        "role": _role,
        "content": _field("content"),
        "reasoning": _field(REASONING[0]),
        "refusal": _field("refusal"),
        "tool_call": _tool_call,
        "delta": _delta,
        "finish": _finish,
        "usage": _usage,
        "chunk": _chunk,
        "error": _error,
        "done": _done,
    }
    scalar: ClassVar[Mapping[str, str]] = {
        "role": "role",
        "content": "text",
        "reasoning": "text",
        "refusal": "text",
        "finish": "reason",
        "error": "message",
    }
