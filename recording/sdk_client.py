"""Sends the request of an exchange through the real SDK and reads the stream.

Rule of this file: a disconnect of the client and a lost connection are not errors here, because
they are what is to be recorded.
"""

from __future__ import annotations

import os
import signal
from contextlib import closing, suppress
from itertools import count
from typing import TYPE_CHECKING, Any

import anthropic
import httpx2
import openai
from google import genai

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from recording.engines import Engine
    from recording.exchanges import Exchange

_KEY = "none-needed"
_LOST = (openai.APIConnectionError, anthropic.APIConnectionError, httpx2.TransportError)


def read_stream(exchange: Exchange, engine: Engine, url: str, pid: int) -> int:
    """Send a request, read its stream, and return the number of events read.

    Args:
        exchange: the exchange.
        engine: its engine.
        url: the URL of the engine or of the recorder in front of it.
        pid: the engine's process, which is killed if the exchange says so.
    """
    read = 0
    default_path, open_stream = _OPENERS[exchange.protocol]
    base = url + engine.base_paths.get(exchange.protocol, default_path)
    request = {"model": exchange.spec.model or engine.model, **exchange.request}
    with suppress(*_LOST), closing(open_stream(base, request)) as stream:
        for read, _ in zip(count(1), stream, strict=False):
            if read == exchange.spec.killed_after:
                os.kill(pid, signal.SIGKILL)
            if read == exchange.spec.aborts_after:
                break
    return read


def _chat(url: str, request: Mapping[str, Any]) -> Any:
    client = openai.OpenAI(api_key=_KEY, base_url=url, max_retries=0)
    return client.chat.completions.create(stream=True, **request)


def _responses(url: str, request: Mapping[str, Any]) -> Any:
    client = openai.OpenAI(api_key=_KEY, base_url=url, max_retries=0)
    return client.responses.create(stream=True, **request)


def _messages(url: str, request: Mapping[str, Any]) -> Any:
    client = anthropic.Anthropic(api_key=_KEY, base_url=url, max_retries=0)
    return client.messages.create(stream=True, **request)


def _gemini(url: str, request: Mapping[str, Any]) -> Iterator[Any]:
    options = genai.types.HttpOptions(base_url=url, api_version="v1beta")
    client = genai.Client(api_key=_KEY, http_options=options)
    yield from client.models.generate_content_stream(**request)


# Protocol -> the default path of its base URL, and the function that opens a stream.
_OPENERS: Mapping[str, tuple[str, Callable[[str, Mapping[str, Any]], Any]]] = {
    "openai_chat": ("/v1", _chat),
    "openai_responses": ("/v1", _responses),
    "anthropic_messages": ("", _messages),
    "gemini_generate": ("", _gemini),
}
