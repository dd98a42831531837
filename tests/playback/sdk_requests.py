"""Requests through the provider SDKs, as the tests of both transports make them.

Each row is one way to request a stream: it yields the events that the SDK made of its ``frames``,
dumped. The caller passes the HTTP client, so the same row runs over a socket and in memory.
"""

from __future__ import annotations

import json
import ssl
from typing import TYPE_CHECKING, Any, NamedTuple

import anthropic
import openai
from google import genai
from google.genai import types
from google.oauth2.credentials import Credentials

from harness.wire import sse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    import httpx2

    Sync = Callable[[str, httpx2.Client], Iterator[Any]]
    Async = Callable[[str, httpx2.AsyncClient], AsyncIterator[Any]]

TEXTS = ("Hel", "lo \u00e9\U0001f600")
# Without this, genai.Client builds a TLS context for its websockets, which takes 50 ms.
_NO_TLS: Any = {"ssl": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)}
_MESSAGES_PARAM: Any = [{"role": "user", "content": "hi"}]


def _chat_frames() -> tuple[bytes, ...]:
    def chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        body = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        return sse.write(None, json.dumps({**body, "choices": [choice]}, ensure_ascii=False))

    return (
        chunk({"role": "assistant", "content": ""}),
        *(chunk({"content": word}) for word in TEXTS),
        chunk({}, "stop"),
        sse.write(None, "[DONE]"),
    )


def _responses_frames() -> tuple[bytes, ...]:
    def event(kind: str, number: int, **fields: object) -> bytes:
        body = {"type": kind, "sequence_number": number, **fields}
        return sse.write(kind, json.dumps(body, ensure_ascii=False))

    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0, "logprobs": []}
    response = {"id": "r", "object": "response", "created_at": 1, "model": "m", "output": []}
    return (
        event("response.created", 0, response={**response, "status": "in_progress"}),
        *(
            event("response.output_text.delta", n, delta=word, **place)
            for n, word in enumerate(TEXTS, 1)
        ),
        event("response.completed", 3, response={**response, "status": "completed"}),
    )


def _anthropic_frames() -> tuple[bytes, ...]:
    def event(kind: str, **fields: object) -> bytes:
        return sse.write(kind, json.dumps({"type": kind, **fields}, ensure_ascii=False))

    usage = {"input_tokens": 1, "output_tokens": 1}
    message = {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": []}
    return (
        event("message_start", message={**message, "stop_reason": None, "usage": usage}),
        event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        *(
            event("content_block_delta", index=0, delta={"type": "text_delta", "text": word})
            for word in TEXTS
        ),
        event("content_block_stop", index=0),
        event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 2}),
        event("message_stop"),
    )


def _gemini_frames() -> tuple[bytes, ...]:
    def response(word: str, **fields: str) -> bytes:
        candidate = {"content": {"role": "model", "parts": [{"text": word}]}, **fields}
        body = {"candidates": [candidate], "responseId": "r"}
        return sse.write(None, json.dumps(body, ensure_ascii=False), end="\r\n")

    return response(TEXTS[0]), response(TEXTS[1], finishReason="STOP")


def _dump(events: Iterator[Any]) -> Iterator[Any]:
    for event in events:
        yield event.model_dump(mode="json", exclude={"sdk_http_response"})


async def _adump(events: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for event in events:
        yield event.model_dump(mode="json", exclude={"sdk_http_response"})


def _openai(url: str, client: Any) -> dict[str, Any]:
    return {"api_key": "k", "base_url": f"{url}/v1", "max_retries": 0, "http_client": client}


def _azure(url: str, client: Any) -> dict[str, Any]:
    account = {"azure_endpoint": url, "api_version": "2025-04-01-preview", "api_key": "k"}
    return {**account, "max_retries": 0, "http_client": client}


def _anthropic(url: str, client: Any) -> dict[str, Any]:
    return {"api_key": "k", "base_url": url, "max_retries": 0, "http_client": client}


def _chat(sdk: openai.OpenAI) -> Iterator[Any]:
    with sdk.chat.completions.create(model="m", messages=_MESSAGES_PARAM, stream=True) as stream:
        yield from _dump(iter(stream))


async def _achat(sdk: openai.AsyncOpenAI) -> AsyncIterator[Any]:
    stream = await sdk.chat.completions.create(model="m", messages=_MESSAGES_PARAM, stream=True)
    async with stream:
        async for event in _adump(aiter(stream)):
            yield event


def _responses(url: str, client: httpx2.Client) -> Iterator[Any]:
    sdk = openai.OpenAI(**_openai(url, client))
    with sdk.responses.create(model="m", input="hi", stream=True) as stream:
        yield from _dump(iter(stream))


async def _aresponses(url: str, client: httpx2.AsyncClient) -> AsyncIterator[Any]:
    sdk = openai.AsyncOpenAI(**_openai(url, client))
    async with await sdk.responses.create(model="m", input="hi", stream=True) as stream:
        async for event in _adump(aiter(stream)):
            yield event


def _messages(url: str, client: httpx2.Client) -> Iterator[Any]:
    sdk = anthropic.Anthropic(**_anthropic(url, client))
    with sdk.messages.create(
        model="m", messages=_MESSAGES_PARAM, max_tokens=9, stream=True
    ) as stream:
        yield from _dump(iter(stream))


async def _amessages(url: str, client: httpx2.AsyncClient) -> AsyncIterator[Any]:
    sdk = anthropic.AsyncAnthropic(**_anthropic(url, client))
    asked = await sdk.messages.create(
        model="m", messages=_MESSAGES_PARAM, max_tokens=9, stream=True
    )
    async with asked as stream:
        async for event in _adump(aiter(stream)):
            yield event


def _genai(url: str, version: str, **clients: Any) -> genai.Client:
    options = types.HttpOptions(
        base_url=url, api_version=version, async_client_args=_NO_TLS, **clients
    )
    return genai.Client(api_key="k", http_options=options)


def _vertex(url: str, **clients: Any) -> genai.Client:
    credentials = Credentials("t")  # type: ignore[no-untyped-call]  # google.auth has no types
    return genai.Client(
        vertexai=True,
        project="p",
        location="europe-west4",
        credentials=credentials,
        http_options=types.HttpOptions(base_url=url, async_client_args=_NO_TLS, **clients),
    )


def _generate(sdk: genai.Client) -> Iterator[Any]:
    yield from _dump(sdk.models.generate_content_stream(model="gemini-x", contents="hi"))


async def _agenerate(sdk: genai.Client) -> AsyncIterator[Any]:
    stream = await sdk.aio.models.generate_content_stream(model="gemini-x", contents="hi")
    async for event in _adump(stream):
        yield event


class Row(NamedTuple):
    """One way to request a stream from one provider, and the path that its server sees."""

    name: str
    path: str
    frames: tuple[bytes, ...]
    stream: Sync
    astream: Async
    events: int


ROWS = (
    Row(
        "openai_chat",
        "/v1/chat/completions",
        _chat_frames(),
        lambda url, client: _chat(openai.OpenAI(**_openai(url, client))),
        lambda url, client: _achat(openai.AsyncOpenAI(**_openai(url, client))),
        4,
    ),
    Row("openai_responses", "/v1/responses", _responses_frames(), _responses, _aresponses, 4),
    Row("anthropic_messages", "/v1/messages", _anthropic_frames(), _messages, _amessages, 7),
    Row(
        "gemini_v1",
        "/v1/models/gemini-x:streamGenerateContent?alt=sse",
        _gemini_frames(),
        lambda url, client: _generate(_genai(url, "v1", httpx_client=client)),
        lambda url, client: _agenerate(_genai(url, "v1", httpx_async_client=client)),
        2,
    ),
    Row(
        "gemini_v1beta",
        "/v1beta/models/gemini-x:streamGenerateContent?alt=sse",
        _gemini_frames(),
        lambda url, client: _generate(_genai(url, "v1beta", httpx_client=client)),
        lambda url, client: _agenerate(_genai(url, "v1beta", httpx_async_client=client)),
        2,
    ),
    Row(
        "gemini_vertex",
        "/v1beta1/projects/p/locations/europe-west4/publishers/google/models/gemini-x"
        ":streamGenerateContent?alt=sse",
        _gemini_frames(),
        lambda url, client: _generate(_vertex(url, httpx_client=client)),
        lambda url, client: _agenerate(_vertex(url, httpx_async_client=client)),
        2,
    ),
    Row(
        "openai_chat_azure",
        "/openai/deployments/m/chat/completions?api-version=2025-04-01-preview",
        _chat_frames(),
        lambda url, client: _chat(openai.AzureOpenAI(**_azure(url, client))),
        lambda url, client: _achat(openai.AsyncAzureOpenAI(**_azure(url, client))),
        4,
    ),
)
