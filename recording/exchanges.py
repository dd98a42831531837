"""What is asked of the engines: the same stories in each protocol that an engine speaks.

Rule of this file: a story is a request and what its reader does; what the engine answers is its own
affair, so nothing is expected here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_LIMIT = 64  # tokens; more than any sentence of the model has
_LONG = 2000  # of the endless one: time enough to leave, or to be left
_LENGTH = 7  # of the one that is cut, inside its sentence
_READ = 6  # events before the reader leaves, or the engine is killed
_CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


class Plot(NamedTuple):
    """What is asked, and what becomes of the stream.

    Args:
        words: what the user says.
        limit: tokens that the answer may have.
        tool: whether a tool is offered.
        leaves_after: events after which the reader leaves; None reads everything.
        killed_after: events after which the engine's process is killed.
        model: the model that is asked for; None is the engine's own.
    """

    words: str
    limit: int = _LIMIT
    tool: bool = False
    leaves_after: int | None = None
    killed_after: int | None = None
    model: str | None = None


class Story(NamedTuple):
    """One exchange to record.

    Args:
        name: what its cassette is called, below the cassettes.
        engine: who is asked, a word of ``engines.KINDS``.
        protocol: the protocol it is asked in.
        plot: what is asked, and what becomes of it.
    """

    name: str
    engine: str
    protocol: str
    plot: Plot

    @property
    def request(self) -> dict[str, Any]:
        """The keyword arguments of the SDK."""
        return _REQUESTS[self.protocol](self.plot)


def _chat(plot: Plot) -> dict[str, Any]:
    function = {"name": "get_weather", "description": "Weather of a city", "parameters": _CITY}
    return {
        "messages": [{"role": "user", "content": plot.words}],
        "max_tokens": plot.limit,
        "stream_options": {"include_usage": True},
        **({"tools": [{"type": "function", "function": function}]} if plot.tool else {}),
    }


def _responses(plot: Plot) -> dict[str, Any]:
    function = {"type": "function", "name": "get_weather", "parameters": _CITY, "strict": False}
    tools = {"tools": [function]} if plot.tool else {}
    return {"input": plot.words, "max_output_tokens": plot.limit, **tools}


def _messages(plot: Plot) -> dict[str, Any]:
    tools = [{"name": "get_weather", "description": "Weather of a city", "input_schema": _CITY}]
    return {
        "messages": [{"role": "user", "content": plot.words}],
        "max_tokens": plot.limit,
        **({"tools": tools} if plot.tool else {}),
    }


def _gemini(plot: Plot) -> dict[str, Any]:
    function = {"name": "get_weather", "description": "Weather of a city", "parameters": _CITY}
    tools = {"tools": [{"function_declarations": [function]}]} if plot.tool else {}
    return {"contents": plot.words, "config": {"max_output_tokens": plot.limit, **tools}}


_REQUESTS: Mapping[str, Callable[[Plot], dict[str, Any]]] = {
    "openai_chat": _chat,
    "openai_responses": _responses,
    "anthropic_messages": _messages,
    "gemini_generate": _gemini,
}

_TOLD = {
    "text": Plot("text"),
    "length": Plot("text", _LENGTH),
    "tool": Plot("tool", tool=True),
}
_ENDLESS = {
    "reader_left": Plot("endless", _LONG, leaves_after=_READ),
    "engine_killed": Plot("endless", _LONG, killed_after=_READ),
}
_LLAMACPP = {**_TOLD, "emoji_first": Plot("emoji"), **_ENDLESS}
# An imitator says what its file holds for the user's words.
_TEXT, _TOOL, _CUT = {"text": Plot("text")}, {"tool": Plot("tool")}, {"limit": Plot("limit")}

# Engine -> protocol -> the stories it tells in it.
STORIES: Mapping[str, Mapping[str, Mapping[str, Plot]]] = {
    "llamacpp": {
        "openai_chat": _LLAMACPP,
        "openai_responses": _LLAMACPP,
        "anthropic_messages": _LLAMACPP,
    },
    "aimock": {
        "gemini_generate": {**_TEXT, **_TOOL, **_CUT, "lost": Plot("lost")},
        "openai_responses": _CUT,
    },
    "mockllm": {"openai_chat": _TEXT, "anthropic_messages": _TEXT},
    "openai-mock-api": {"openai_chat": {**_TEXT, **_TOOL}},
    "ai-mock": {
        "openai_chat": {**_TEXT, **_TOOL},
        "anthropic_messages": {**_TEXT, **_TOOL},
    },
    "litellm": {
        "openai_chat": _TOLD,
        "openai_responses": _TOLD,
        "anthropic_messages": {
            **_TOLD,
            "by_responses": Plot("text", _LENGTH, model="by-responses"),
        },
        "gemini_generate": _TOLD,
    },
    "transformers": {"openai_chat": _TOLD, "openai_responses": _TOLD},
}


def stories() -> Iterator[Story]:
    """Yield every story, an engine's together."""
    for engine, protocols in STORIES.items():
        for protocol, plots in protocols.items():
            for name, plot in plots.items():
                yield Story(f"{engine}/{protocol}_{name}", engine, protocol, plot)
