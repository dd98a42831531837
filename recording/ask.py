"""Tells one story to a server through the real SDK.

Rule of this file: the reader may leave and the connection may be lost, and neither is an error
here, because that is what is to be recorded.
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

    from recording.engines import Kind
    from recording.exchanges import Story

_KEY = "none-needed"
_LOST = (openai.APIConnectionError, anthropic.APIConnectionError, httpx2.TransportError)


def ask(story: Story, kind: Kind, url: str, pid: int) -> int:
    """Tell a story and return how many events were read.

    Args:
        story: the story.
        kind: its engine.
        url: where the engine, or whoever stands before it, listens.
        pid: the engine's process, which the story may kill.
    """
    read = 0
    usual, opened = _OPENERS[story.protocol]
    base = url + kind.bases.get(story.protocol, usual)
    request = {"model": story.plot.model or kind.model, **story.request}
    with suppress(*_LOST), closing(opened(base, request)) as stream:
        for read, _ in zip(count(1), stream, strict=False):
            if read == story.plot.killed_after:
                os.kill(pid, signal.SIGKILL)
            if read == story.plot.leaves_after:
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


# Protocol -> the path that its clients' addresses usually end with, and what opens a stream there.
_OPENERS: Mapping[str, tuple[str, Callable[[str, Mapping[str, Any]], Any]]] = {
    "openai_chat": ("/v1", _chat),
    "openai_responses": ("/v1", _responses),
    "anthropic_messages": ("", _messages),
    "gemini_generate": ("", _gemini),
}
