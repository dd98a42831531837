"""How each SDK is asked for a raw stream, or a whole answer: the table of today's entry points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from harness.streaming.gemini_closing import ClosingStream, SyncClosingStream

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from harness.targets.base import Call
    from harness.targets.clients import Clients

    Opener: TypeAlias = Callable[[Clients, Call], Awaitable[Any]]


async def open_stream(clients: Clients, call: Call) -> Any:
    """Return the SDK's asynchronous stream of typed events for a call.

    Raises:
        Exception: whatever the SDK raises where the provider refuses the request.
    """
    return await _OPENERS[call.protocol](clients, call)


def open_stream_sync(clients: Clients, call: Call) -> Any:
    """Return the SDK's synchronous stream of typed events for a call.

    Raises:
        Exception: whatever the SDK raises where the provider refuses the request.
    """
    return _SYNC_OPENERS[call.protocol](clients, call)


async def ask_whole(clients: Clients, call: Call) -> Any:
    """Return the SDK's object of a whole answer, not streamed.

    Raises:
        Exception: whatever the SDK raises where the provider refuses the request.
    """
    return await _WHOLE[call.protocol](clients, call)


async def _responses(clients: Clients, call: Call) -> Any:
    return await clients.openai(call).responses.create(stream=True, **call.request)


async def _chat(clients: Clients, call: Call) -> Any:
    return await clients.openai(call).chat.completions.create(stream=True, **call.request)


async def _messages(clients: Clients, call: Call) -> Any:
    return await clients.anthropic(call).messages.create(stream=True, **call.request)


async def _gemini(clients: Clients, call: Call) -> Any:
    models = clients.genai().aio.models
    return ClosingStream(await models.generate_content_stream(**gemini_request(call)))


def gemini_request(call: Call) -> dict[str, Any]:
    """Return a call's request with its address, which google-genai takes with each request."""
    options: dict[str, Any] = {"base_url": call.base_url}
    if call.read_timeout:
        options["timeout"] = int(call.read_timeout * 1000)
    config = {**call.request.get("config", {}), "http_options": options}
    return {**call.request, "config": config}


_OPENERS: Mapping[str, Opener] = {
    "openai_responses": _responses,
    "openai_chat": _chat,
    "anthropic_messages": _messages,
    "gemini_generate": _gemini,
}


def _gemini_sync(clients: Clients, call: Call) -> Any:
    models = clients.genai().models
    return SyncClosingStream(models.generate_content_stream(**gemini_request(call)))


_SYNC_OPENERS: Mapping[str, Callable[[Clients, Call], Any]] = {
    "openai_responses": lambda clients, call: clients.openai_sync(call).responses.create(
        stream=True, **call.request
    ),
    "openai_chat": lambda clients, call: clients.openai_sync(call).chat.completions.create(
        stream=True, **call.request
    ),
    "anthropic_messages": lambda clients, call: clients.anthropic_sync(call).messages.create(
        stream=True, **call.request
    ),
    "gemini_generate": _gemini_sync,
}

_WHOLE: Mapping[str, Opener] = {
    "openai_responses": lambda clients, call: clients.openai(call).responses.create(**call.request),
    "openai_chat": lambda clients, call: clients.openai(call).chat.completions.create(
        **call.request
    ),
    "anthropic_messages": lambda clients, call: clients.anthropic(call).messages.create(
        **call.request
    ),
    "gemini_generate": lambda clients, call: clients.genai().aio.models.generate_content(
        **gemini_request(call)
    ),
}
