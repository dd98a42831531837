"""``letta``: the streaming interfaces of the package of that name, behind its own stream adapter.

What is driven is its code and nothing of ours: the adapter chooses an interface, reads the SDK's
stream, maps errors and extracts content, calls, usage and finish reason; only the request is made
by us, so that it goes where the harness speaks. Run it where the package is installed, e.g.
``env:letta==0.16.5,asyncpg!letta``.

Rules of this file: the package is imported when the target is asked for, not before; messages are
taken over one for one; what it has no word for (whether the provider's terminal came) is told as
its agents see it: a stream that ends without an exception is complete.
"""

from __future__ import annotations

import json
from contextlib import aclosing, asynccontextmanager
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.model import Chunk, Reasoning, RedactedReasoning, Text, ToolCall, Usage
from harness.protocols import names
from harness.targets.final_objects.common import Final
from harness.targets.opening import open_stream
from harness.targets.reading import Reader, ReaderListening

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping

    from harness.model import JSON, Part
    from harness.targets.base import Call
    from harness.targets.clients import Clients


class _Provider(NamedTuple):
    """What the package calls a provider: its endpoint type, and the client that maps its errors."""

    endpoint: str
    module: str
    client: str


_PROVIDERS: Mapping[str, _Provider] = {
    "openai_responses": _Provider("openai", "openai_client", "OpenAIClient"),
    "openai_chat": _Provider("openai", "openai_client", "OpenAIClient"),
    "anthropic_messages": _Provider("anthropic", "anthropic_client", "AnthropicClient"),
    "gemini_generate": _Provider("google_ai", "google_ai_client", "GoogleAIClient"),
}
# Its finish words -> the provider's own, where it translated them.
_RAW: Mapping[str, str] = {"length": "max_output_tokens", "stop": "completed"}


class LettaTarget:
    """The package's stream adapter over the installed SDKs.

    Args:
        clients: the run's SDK clients.

    Raises:
        ImportError: the package is not installed.
    """

    name = "letta"

    def __init__(self, clients: Clients) -> None:
        self.protocols: tuple[str, ...] = names()
        self._clients = clients
        self._adapter = import_module("letta.adapters.simple_llm_stream_adapter")
        self._config = import_module("letta.schemas.llm_config").LLMConfig
        kinds = getattr(import_module("letta.schemas.enums"), "LLMCallType", None)
        # Since 0.16.5 an adapter is told what a call is for.
        self._named = {} if kinds is None else {"call_type": kinds.agent_step}

    def listen(self, call: Call) -> ReaderListening:
        """Return a listener for one stream."""
        reader = LettaReader(call.protocol, self._made(call))
        return ReaderListening(partial(_opened, reader.adapter, call), reader)

    def _made(self, call: Call) -> Any:
        """Return an adapter whose client asks where the call says."""
        provider = _PROVIDERS[call.protocol]
        module = import_module(f"letta.llm_api.{provider.module}")
        opener = partial(_raw_stream, self._clients, call)
        client = type("Client", (getattr(module, provider.client),), _asking(call, opener))()
        config = self._config(
            model=str(call.request.get("model", "")),
            model_endpoint_type=provider.endpoint,
            context_window=128_000,
        )
        return self._adapter.SimpleLLMStreamAdapter(client, config, **self._named)


def _asking(call: Call, opener: Callable[[], Any]) -> dict[str, Any]:
    """Return the method by which a client of the package asks for a stream.

    Gemini's is an asynchronous generator, the others return one when awaited.
    """

    async def awaited(_self: Any, *_: Any, **__: Any) -> Any:
        return await opener()

    async def generated(_self: Any, *_: Any, **__: Any) -> AsyncGenerator[Any, None]:
        async with aclosing(await opener()) as stream:
            async for event in stream:
                yield event

    return {"stream_async": generated if call.protocol == "gemini_generate" else awaited}


async def _raw_stream(clients: Clients, call: Call) -> Any:
    """Open the SDK's stream as the package does: Anthropic's is the beta one."""
    if call.protocol != "anthropic_messages":
        return await open_stream(clients, call)
    messages = clients.anthropic(call).beta.messages
    return await messages.create(stream=True, **call.request)


@asynccontextmanager
async def _opened(adapter: Any, call: Call) -> AsyncGenerator[Any, None]:
    request = dict(call.request)
    stream = adapter.invoke_llm(request, [], [], use_assistant_message=False)
    async with aclosing(stream):
        yield stream


class LettaReader(Reader):
    """Takes over the package's messages, and what its adapter extracted when the stream ended.

    Args:
        protocol: what the stream speaks.
        adapter: the package's adapter.
    """

    def __init__(self, protocol: str, adapter: Any) -> None:
        self.protocol = protocol  # type: ignore[misc]  # one reader for every protocol
        self.adapter = adapter
        self._calls: list[str] = []

    def read(self, event: Any) -> Iterator[Chunk]:
        """Yield what one message shows; the listening itself tells how the stream ended."""
        kind = event.message_type
        if kind == "assistant_message":
            yield Chunk("text", text=_text(event.content))
        elif kind == "reasoning_message":
            yield Chunk("reasoning", text=event.reasoning)
        elif kind == "hidden_reasoning_message" and event.hidden_reasoning:
            yield Chunk("redacted_reasoning", data=event.hidden_reasoning)
        elif kind in {"tool_call_message", "approval_request_message"}:
            yield self._call_chunk(event.tool_call)

    async def conclude(self) -> None:
        """Take a stream that ended without an exception as complete, as the package does."""
        self.terminal = True

    def said(self) -> Final:
        """Return what the adapter extracted; nothing before the stream ended."""
        adapter, interface = self.adapter, getattr(self.adapter, "interface", None)
        word = adapter.finish_reason if hasattr(adapter, "finish_reason") else None
        return Final(
            content=tuple(_content(adapter)),
            finish_raw=_RAW.get(word, word) if word else None,
            usage=_usage(adapter.usage) if self.terminal else None,
            response_id=getattr(interface, "message_id", None),
            model=getattr(interface, "model", None),
        )

    def _call_chunk(self, call: Any) -> Chunk:
        known = call.tool_call_id or ""
        if known not in self._calls:
            self._calls.append(known)
        return Chunk(
            "tool_call",
            index=self._calls.index(known),
            id=call.tool_call_id,
            name=call.name,
            arguments=call.arguments,
        )


def _text(content: str | list[Any]) -> str:
    return content if isinstance(content, str) else "".join(part.text for part in content)


def _content(adapter: Any) -> Iterator[Part]:
    """Yield the content parts, then the calls that are not among them."""
    calls = {call.id: call for call in adapter.tool_calls}
    for part in adapter.content or ():
        if part.type == "tool_call":
            calls.pop(part.id, None)
        yield from _PARTS.get(part.type, lambda _: ())(part)
    for call in calls.values():
        yield _tool_call(call.id, call.function.name, call.function.arguments)


def _tool_call(call_id: str, name: str, arguments: str) -> ToolCall:
    """Return a call as its agents find it: every call is run whose arguments can be parsed."""
    try:
        parsed: JSON = json.loads(arguments)
    except ValueError:
        parsed = None
    whole = isinstance(parsed, dict)
    return ToolCall(
        id=call_id,
        name=name,
        arguments_raw=arguments,
        arguments=parsed if whole else None,
        complete=whole,
    )


def _usage(found: Any) -> Usage:
    return Usage(
        input=found.prompt_tokens,
        cached=getattr(found, "cached_input_tokens", None),
        cache_write=getattr(found, "cache_write_tokens", None),
        output=found.completion_tokens,
        reasoning=getattr(found, "reasoning_tokens", None),
        total=found.total_tokens,
    )


# The package's kinds of content -> ours; what it omitted is nothing.
_PARTS: Mapping[str, Callable[[Any], Iterable[Part]]] = {
    "text": lambda part: [Text(text=part.text, signature=getattr(part, "signature", None))],
    "reasoning": lambda part: [Reasoning(text=part.reasoning, signature=part.signature)],
    "redacted_reasoning": lambda part: [RedactedReasoning(data=part.data)],
    "summarized_reasoning": lambda part: [
        Reasoning(text="\n\n".join(each.text for each in part.summary))
    ],
    "tool_call": lambda part: [_tool_call(part.id, part.name, json.dumps(part.input))],
}
