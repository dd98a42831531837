"""What is asked of the engines: the same six stories in each protocol that llama.cpp speaks.

Rule of this file: a story is a request and what its reader does; what the engine answers is its own
affair, so nothing is expected here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MODEL = "tiny-bigram"
_LIMIT = 64  # tokens; more than any sentence of the model has
_LONG = 2000  # of the endless one: time enough to leave, or to be left
_LENGTH = 7  # of the one that is cut, inside its sentence
_READ = 6  # events before the reader leaves, or the engine is killed
_CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@dataclass(frozen=True)
class Story:
    """One exchange to record.

    Args:
        name: what its cassette is called, below the cassettes.
        engine: who is asked, a word of ``engines.KINDS``.
        protocol: the protocol it is asked in.
        request: the keyword arguments of the SDK.
        leaves_after: events after which the reader leaves; None reads everything.
        killed_after: events after which the engine's process is killed.
    """

    name: str
    engine: str
    protocol: str
    request: Mapping[str, Any]
    leaves_after: int | None = None
    killed_after: int | None = None


def _chat(words: str, limit: int, *, tool: bool = False) -> dict[str, Any]:
    function = {"name": "get_weather", "description": "Weather of a city", "parameters": _CITY}
    return {
        "messages": [{"role": "user", "content": words}],
        "max_tokens": limit,
        "stream_options": {"include_usage": True},
        **({"tools": [{"type": "function", "function": function}]} if tool else {}),
    }


def _responses(words: str, limit: int, *, tool: bool = False) -> dict[str, Any]:
    function = {"type": "function", "name": "get_weather", "parameters": _CITY, "strict": False}
    tools = {"tools": [function]} if tool else {}
    return {"input": words, "max_output_tokens": limit, **tools}


def _messages(words: str, limit: int, *, tool: bool = False) -> dict[str, Any]:
    tools = [{"name": "get_weather", "description": "Weather of a city", "input_schema": _CITY}]
    return {
        "messages": [{"role": "user", "content": words}],
        "max_tokens": limit,
        **({"tools": tools} if tool else {}),
    }


def _gemini(words: str, limit: int) -> dict[str, Any]:
    return {"contents": words, "config": {"max_output_tokens": limit}}


_LLAMACPP = {
    "openai_chat": _chat,
    "openai_responses": _responses,
    "anthropic_messages": _messages,
}


def stories() -> Iterator[Story]:
    """Yield every story."""
    for protocol, ask in _LLAMACPP.items():
        told = partial(Story, engine="llamacpp", protocol=protocol)
        at = f"llamacpp/{protocol}"
        yield told(f"{at}_text", request=ask("text", _LIMIT))
        yield told(f"{at}_length", request=ask("text", _LENGTH))
        yield told(f"{at}_tool", request=ask("tool", _LIMIT, tool=True))
        yield told(f"{at}_emoji_first", request=ask("emoji", _LIMIT))
        endless = ask("endless", _LONG)
        yield told(f"{at}_reader_left", request=endless, leaves_after=_READ)
        yield told(f"{at}_engine_killed", request=endless, killed_after=_READ)
    asked = partial(Story, engine="aimock")
    for name in ("text", "tool", "limit", "lost"):
        told = partial(asked, f"aimock/gemini_generate_{name}", protocol="gemini_generate")
        yield told(request=_gemini(name, _LIMIT))
    limit = _responses("limit", _LIMIT)
    yield asked("aimock/openai_responses_limit", protocol="openai_responses", request=limit)
