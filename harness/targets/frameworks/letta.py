"""``letta``: the streaming interfaces of the package of that name, behind its own stream adapter.

Everything under test is its code: the adapter chooses an interface, reads the SDK's stream, maps
errors and extracts content, calls, usage and finish reason. Only the request is made here, so that
it goes to the address of the call. Run it where the package is installed, e.g.
``env:letta==0.16.5,asyncpg!letta``.

The package is imported when the target is used, not before. Its messages are taken over one for
one. It does not report whether the provider's terminal event came; as for its agents, a stream that
ends without an exception is complete.
"""

from __future__ import annotations

import json
from contextlib import aclosing, asynccontextmanager
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.model import Chunk, Reasoning, RedactedReasoning, Text, ToolCall, Usage
from harness.sdks import binding_of, open_stream
from harness.sdks.anthropic.clients import async_client
from harness.sdks.listening import SdkListening
from harness.sdks.reader import SdkReader
from harness.sdks.result import SdkResult

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Mapping

    from harness.model import JSON, Part
    from harness.sdks.clients import SdkClients
    from harness.targets.base import Call


async def _open_beta(clients: SdkClients, call: Call) -> Any:
    """Open Anthropic's stream as the package does: through the beta API."""
    messages = async_client(clients, call).beta.messages
    return await messages.create(stream=True, **call.request)


class _Provider(NamedTuple):
    """A provider as the package names it.

    Args:
        endpoint: its endpoint type.
        module: the module of its client.
        client: the class of its client, which maps its errors.
        open_stream: opens the SDK's stream as the package does.
        generates: whether the client's method is an asynchronous generator; others return one when
            awaited.
    """

    endpoint: str
    module: str
    client: str
    open_stream: Callable[[SdkClients, Call], Awaitable[Any]] = open_stream
    generates: bool = False


_PROVIDERS: Mapping[str, _Provider] = {
    "openai_responses": _Provider("openai", "openai_client", "OpenAIClient"),
    "openai_chat": _Provider("openai", "openai_client", "OpenAIClient"),
    "anthropic_messages": _Provider(
        "anthropic", "anthropic_client", "AnthropicClient", open_stream=_open_beta
    ),
    "gemini_generate": _Provider("google_ai", "google_ai_client", "GoogleAIClient", generates=True),
}
# Finish words of the package -> the provider's own, where the package translates them.
_FINISH_RAW: Mapping[str, str] = {"length": "max_output_tokens", "stop": "completed"}


class LettaTarget:
    """The package's stream adapter over the installed SDKs.

    Args:
        clients: the SDK clients of the run.

    Raises:
        ImportError: the package is not installed.
    """

    name = "letta"

    def __init__(self, clients: SdkClients) -> None:
        self.protocols: tuple[str, ...] = tuple(_PROVIDERS)
        self._clients = clients
        self._adapter = import_module("letta.adapters.simple_llm_stream_adapter")
        self._config = import_module("letta.schemas.llm_config").LLMConfig
        kinds = getattr(import_module("letta.schemas.enums"), "LLMCallType", None)
        # Since 0.16.5 an adapter is given the purpose of a call.
        self._purpose = {} if kinds is None else {"call_type": kinds.agent_step}

    def listen(self, call: Call) -> SdkListening:
        """Return a listening for one stream."""
        adapter = self._make_adapter(call)
        opener = partial(_opened, adapter, call)
        return SdkListening(binding_of(call.protocol), opener, LettaReader(adapter))

    def _make_adapter(self, call: Call) -> Any:
        """Return an adapter whose client sends its request to the address of the call."""
        provider = _PROVIDERS[call.protocol]
        module = import_module(f"letta.llm_api.{provider.module}")
        opener = partial(provider.open_stream, self._clients, call)
        method = _generator_method(opener) if provider.generates else _awaited_method(opener)
        base = getattr(module, provider.client)
        client = type("Client", (base,), {"stream_async": method})()
        config = self._config(
            model=str(call.request.get("model", "")),
            model_endpoint_type=provider.endpoint,
            context_window=128_000,
        )
        return self._adapter.SimpleLLMStreamAdapter(client, config, **self._purpose)


def _awaited_method(opener: Callable[[], Awaitable[Any]]) -> Callable[..., Any]:
    async def stream_async(_self: Any, *_: Any, **__: Any) -> Any:
        return await opener()

    return stream_async


def _generator_method(opener: Callable[[], Awaitable[Any]]) -> Callable[..., Any]:
    async def stream_async(_self: Any, *_: Any, **__: Any) -> AsyncGenerator[Any, None]:
        async with aclosing(await opener()) as stream:
            async for event in stream:
                yield event

    return stream_async


@asynccontextmanager
async def _opened(adapter: Any, call: Call) -> AsyncGenerator[Any, None]:
    request = dict(call.request)
    stream = adapter.invoke_llm(request, [], [], use_assistant_message=False)
    async with aclosing(stream):
        yield stream


class LettaReader(SdkReader):
    """Takes over the package's messages, and what its adapter extracted when the stream ended.

    Args:
        adapter: the package's adapter.
    """

    def __init__(self, adapter: Any) -> None:
        self._adapter = adapter
        self._calls: list[str] = []

    def read(self, event: Any) -> Iterator[Chunk]:
        """Read one message."""
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

    def result(self) -> SdkResult:
        """Return what the adapter extracted; before the stream ended, that is nothing."""
        adapter, interface = self._adapter, getattr(self._adapter, "interface", None)
        finish = getattr(adapter, "finish_reason", None)
        return SdkResult(
            content=tuple(_content(adapter)),
            finish_raw=_FINISH_RAW.get(finish, finish) if finish else None,
            usage=_usage(adapter.usage) if self.terminal else None,
            response_id=getattr(interface, "message_id", None),
            model=getattr(interface, "model", None),
        )

    def _call_chunk(self, call: Any) -> Chunk:
        call_id = call.tool_call_id or ""
        if call_id not in self._calls:
            self._calls.append(call_id)
        return Chunk(
            "tool_call",
            index=self._calls.index(call_id),
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
    """Return a call as its agents execute it: every call whose arguments can be parsed."""
    try:
        parsed: JSON = json.loads(arguments)
    except ValueError:
        parsed = None
    complete = isinstance(parsed, dict)
    return ToolCall(
        id=call_id,
        name=name,
        arguments_raw=arguments,
        arguments=parsed if complete else None,
        complete=complete,
    )


def _usage(usage: Any) -> Usage:
    return Usage(
        input=usage.prompt_tokens,
        cached=getattr(usage, "cached_input_tokens", None),
        cache_write=getattr(usage, "cache_write_tokens", None),
        output=usage.completion_tokens,
        reasoning=getattr(usage, "reasoning_tokens", None),
        total=usage.total_tokens,
    )


# The package's kinds of content -> ours; omitted reasoning has no part.
_PARTS: Mapping[str, Callable[[Any], Iterable[Part]]] = {
    "text": lambda part: [Text(text=part.text, signature=getattr(part, "signature", None))],
    "reasoning": lambda part: [Reasoning(text=part.reasoning, signature=part.signature)],
    "redacted_reasoning": lambda part: [RedactedReasoning(data=part.data)],
    "summarized_reasoning": lambda part: [
        Reasoning(text="\n\n".join(each.text for each in part.summary))
    ],
    "tool_call": lambda part: [_tool_call(part.id, part.name, json.dumps(part.input))],
}
