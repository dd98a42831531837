"""The exchanges to record: the same requests in each protocol that an engine supports.

Rule of this file: an exchange is a request and what the client does with the stream; nothing is
expected of the engine's response.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_LIMIT = 64  # tokens; more than any sentence of the model has
_LONG_LIMIT = 2000  # tokens of the endless sentence: enough time to abort or to kill the engine
_SHORT_LIMIT = 7  # tokens; ends inside a sentence
_EVENTS_READ = 6  # events before the client disconnects or the engine is killed
_CITY_SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


class RequestSpec(NamedTuple):
    """The request, and what happens to its stream.

    Args:
        prompt: the user's message.
        limit: maximum number of tokens of the response.
        tool: whether a tool is offered.
        aborts_after: events after which the client disconnects; None reads to the end.
        killed_after: events after which the engine's process is killed.
        model: the model name in the request; None is the engine's own.
    """

    prompt: str
    limit: int = _LIMIT
    tool: bool = False
    aborts_after: int | None = None
    killed_after: int | None = None
    model: str | None = None


class Exchange(NamedTuple):
    """One exchange to record.

    Args:
        name: path of its cassette below ``cassettes/``, without suffix.
        engine: the engine, a key of ``engines.ENGINES``.
        protocol: the protocol.
        spec: the request, and what happens to its stream.
    """

    name: str
    engine: str
    protocol: str
    spec: RequestSpec

    @property
    def request(self) -> dict[str, Any]:
        """The keyword arguments of the SDK."""
        return _REQUESTS[self.protocol](self.spec)


def _chat(spec: RequestSpec) -> dict[str, Any]:
    function = {
        "name": "get_weather",
        "description": "Weather of a city",
        "parameters": _CITY_SCHEMA,
    }
    return {
        "messages": [{"role": "user", "content": spec.prompt}],
        "max_tokens": spec.limit,
        "stream_options": {"include_usage": True},
        **({"tools": [{"type": "function", "function": function}]} if spec.tool else {}),
    }


def _responses(spec: RequestSpec) -> dict[str, Any]:
    function = {
        "type": "function",
        "name": "get_weather",
        "parameters": _CITY_SCHEMA,
        "strict": False,
    }
    tools = {"tools": [function]} if spec.tool else {}
    return {"input": spec.prompt, "max_output_tokens": spec.limit, **tools}


def _messages(spec: RequestSpec) -> dict[str, Any]:
    tools = [
        {"name": "get_weather", "description": "Weather of a city", "input_schema": _CITY_SCHEMA}
    ]
    return {
        "messages": [{"role": "user", "content": spec.prompt}],
        "max_tokens": spec.limit,
        **({"tools": tools} if spec.tool else {}),
    }


def _gemini(spec: RequestSpec) -> dict[str, Any]:
    function = {
        "name": "get_weather",
        "description": "Weather of a city",
        "parameters": _CITY_SCHEMA,
    }
    tools = {"tools": [{"function_declarations": [function]}]} if spec.tool else {}
    return {"contents": spec.prompt, "config": {"max_output_tokens": spec.limit, **tools}}


_REQUESTS: Mapping[str, Callable[[RequestSpec], dict[str, Any]]] = {
    "openai_chat": _chat,
    "openai_responses": _responses,
    "anthropic_messages": _messages,
    "gemini_generate": _gemini,
}

_COMMON = {
    "text": RequestSpec("text"),
    "length": RequestSpec("text", _SHORT_LIMIT),
    "tool": RequestSpec("tool", tool=True),
}
_ENDLESS = {
    "reader_left": RequestSpec("endless", _LONG_LIMIT, aborts_after=_EVENTS_READ),
    "engine_killed": RequestSpec("endless", _LONG_LIMIT, killed_after=_EVENTS_READ),
}
_LLAMACPP = {**_COMMON, "emoji_first": RequestSpec("emoji"), **_ENDLESS}
# A mock server answers with the response that its file has for the prompt.
_TEXT = {"text": RequestSpec("text")}
_TOOL = {"tool": RequestSpec("tool")}
_LIMIT_REACHED = {"limit": RequestSpec("limit")}

# Engine -> protocol -> name -> the request.
EXCHANGES: Mapping[str, Mapping[str, Mapping[str, RequestSpec]]] = {
    "llamacpp": {
        "openai_chat": _LLAMACPP,
        "openai_responses": _LLAMACPP,
        "anthropic_messages": _LLAMACPP,
    },
    "aimock": {
        "gemini_generate": {**_TEXT, **_TOOL, **_LIMIT_REACHED, "lost": RequestSpec("lost")},
        "openai_responses": _LIMIT_REACHED,
    },
    "mockllm": {"openai_chat": _TEXT, "anthropic_messages": _TEXT},
    "openai-mock-api": {"openai_chat": {**_TEXT, **_TOOL}},
    "ai-mock": {
        "openai_chat": {**_TEXT, **_TOOL},
        "anthropic_messages": {**_TEXT, **_TOOL},
    },
    "litellm": {
        "openai_chat": _COMMON,
        "openai_responses": _COMMON,
        "anthropic_messages": {
            **_COMMON,
            "by_responses": RequestSpec("text", _SHORT_LIMIT, model="by-responses"),
        },
        "gemini_generate": _COMMON,
    },
    "transformers": {"openai_chat": _COMMON, "openai_responses": _COMMON},
}


def all_exchanges() -> Iterator[Exchange]:
    """Yield every exchange, grouped by engine."""
    for engine, protocols in EXCHANGES.items():
        for protocol, specs in protocols.items():
            for name, spec in specs.items():
                yield Exchange(f"{engine}/{protocol}_{name}", engine, protocol, spec)
