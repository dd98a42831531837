"""SDK clients to be wrapped: one row per kind of client and request."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any, NamedTuple

import anthropic
import httpx2
import openai
from google import genai

from tests.playback import sdk_requests as sdks

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.wire.script import Script
    from tests.cassettes.recorder.conftest import Provider

    Wrap = Callable[[Any], Any]

_FRAMES = {row.name: row.frames for row in sdks.ROWS}
_ASKED: Any = [{"role": "user", "content": "hi"}]
_GEMINI: Any = {"model": "gemini-x", "contents": "hi"}
_MESSAGES: Any = {"model": "m", "messages": _ASKED, "max_tokens": 9, "stream": True}
KEY = "sk-wrapped-0a1b2c3d4e5f6a7b"


class Row(NamedTuple):
    """One kind of client: how it is made, what it requests, and the path its server sees."""

    name: str
    path: str
    frames: tuple[bytes, ...]
    make: Callable[[str, Any], Any]  # (the server's address, an HTTP client)
    ask: Callable[[Any], Any]  # returns a stream, or an awaitable of one

    @property
    def is_async(self) -> bool:
        return self.name.startswith("async")


def _with(kind: Any, suffix: str = "", **more: Any) -> Callable[[str, Any], Any]:
    return lambda url, http: kind(
        api_key=KEY, base_url=f"{url}{suffix}", max_retries=0, http_client=http, **more
    )


def _azure(kind: Any, **more: Any) -> Callable[[str, Any], Any]:
    return lambda url, http: kind(
        api_key=KEY, azure_endpoint=url, api_version="1", max_retries=0, http_client=http, **more
    )


def _genai(**more: Any) -> Callable[[str, Any], Any]:
    def make(url: str, http: Any) -> Any:
        name = "httpx_client" if isinstance(http, httpx2.Client) else "httpx_async_client"
        clients: Any = {"async_client_args": sdks._NO_TLS, name: http}
        options = genai.types.HttpOptions(base_url=url, **clients)
        return genai.Client(api_key=KEY, http_options=options, **more)

    return make


def _chat(sdk: Any) -> Any:
    return sdk.chat.completions.create(model="m", messages=_ASKED, stream=True)


def _responses(sdk: Any) -> Any:
    return sdk.responses.create(model="m", input="hi", stream=True)


def _generate(sdk: Any) -> Any:
    return (sdk if hasattr(sdk, "aclose") else sdk.aio).models.generate_content_stream(**_GEMINI)


def _pair(
    name: str, path: str, protocol_name: str, makes: tuple[Any, Any], asks: tuple[Any, Any]
) -> tuple[Row, Row]:
    frames = _FRAMES[protocol_name]
    return (
        Row(name, path, frames, makes[0], asks[0]),
        Row(f"async {name}", path, frames, makes[1], asks[1]),
    )


def _both(make: Callable[..., Any], kinds: tuple[Any, Any], *rest: Any, **more: Any) -> Any:
    return tuple(make(kind, *rest, **more) for kind in kinds)


_OPENAI = (openai.OpenAI, openai.AsyncOpenAI)
_AZURE = (openai.AzureOpenAI, openai.AsyncAzureOpenAI)
_ANTHROPIC = (anthropic.Anthropic, anthropic.AsyncAnthropic)
ROWS = (
    *_pair(
        "openai chat", "/v1/chat/completions", "openai_chat",
        _both(_with, _OPENAI, "/v1"), (_chat, _chat),
    ),
    *_pair(
        "openai responses of a compatible server", "/api/compat/v1/responses", "openai_responses",
        _both(_with, _OPENAI, "/api/compat/v1/"), (_responses, _responses),
    ),
    *_pair(
        "azure chat", "/openai/deployments/m/chat/completions?api-version=1", "openai_chat",
        _both(_azure, _AZURE), (_chat, _chat),
    ),
    *_pair(
        "azure chat of a deployment", "/openai/deployments/d/chat/completions?api-version=1",
        "openai_chat", _both(_azure, _AZURE, azure_deployment="d"), (_chat, _chat),
    ),
    *_pair(
        "azure responses beside a deployment", "/openai/responses?api-version=1",
        "openai_responses", _both(_azure, _AZURE, azure_deployment="d"), (_responses, _responses),
    ),
    *_pair(
        "anthropic", "/v1/messages", "anthropic_messages", _both(_with, _ANTHROPIC),
        (lambda sdk: sdk.messages.create(**_MESSAGES),) * 2,
    ),
    *_pair(
        "gemini", "/v1/models/gemini-x:streamGenerateContent?alt=sse", "gemini_v1",
        (_genai(), _genai()),
        (lambda sdk: sdk.models.generate_content_stream(**_GEMINI), _generate),
    ),
    *_pair(
        "vertex with a key",
        "/v1beta1/publishers/google/models/gemini-x:streamGenerateContent?alt=sse",
        "gemini_v1beta", (_genai(vertexai=True), _genai(vertexai=True)),
        (lambda sdk: sdk.models.generate_content_stream(**_GEMINI), _generate),
    ),
)  # fmt: skip

CHAT, GEMINI = (next(row for row in ROWS if row.name == name) for name in ("openai chat", "gemini"))


def register(provider: Provider, script: Script) -> str:
    """Register a script; return its server's URL."""
    return provider.register(script).removeprefix("a=")


def collect(row: Row, url: str, wrap: Wrap = lambda client: client, most: int = 99) -> list[Any]:
    """Return the events that a client receives, dumped.

    Args:
        row: the kind of client.
        url: its server.
        wrap: applied to the client before the request.
        most: number of events after which the stream is closed.
    """
    if row.is_async:
        return asyncio.run(_acollect(row, url, wrap, most))
    with httpx2.Client(verify=False, trust_env=False) as http:
        stream = row.ask(wrap(row.make(url, http)))
        events = []
        for event in stream:
            events.append(_dump(event))
            if len(events) == most:
                break
        stream.close()
    return events


async def _acollect(row: Row, url: str, wrap: Wrap, most: int) -> list[Any]:
    async with httpx2.AsyncClient(verify=False, trust_env=False) as http:
        stream = await row.ask(wrap(row.make(url, http)))
        events = []
        async for event in stream:
            events.append(_dump(event))
            if len(events) == most:
                break
        closing = (stream.aclose if inspect.isasyncgen(stream) else stream.close)()
        await closing
    return events


def _dump(event: Any) -> Any:
    return event.model_dump(mode="json", exclude={"sdk_http_response"})
