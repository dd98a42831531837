"""Which protocol a provider speaks: the one table that knows providers by name.

Rule of this file: a provider that is missing here is refused by name, wherever one is named; who
speaks two protocols is asked in the one its request is written in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import UnknownWordError
from harness.protocols import names, protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model import JSON

_BYTES_A_TOKEN = 4  # in English, as https://platform.openai.com/tokenizer says


@dataclass(frozen=True)
class Provider:
    """What the adapter has to know of a provider.

    Args:
        protocol: what it speaks.
        also: what it speaks to requests with ``input`` in place of ``messages``; None: nothing.
        silent_usage: whether it may report no usage, so that ours is an estimate.
    """

    protocol: str
    also: str | None = None
    silent_usage: bool = False


_MESSAGES = Provider("anthropic_messages")
_GEMINI = Provider("gemini_generate")
_CHAT = Provider("openai_chat")
_BOTH = Provider("openai_chat", also="openai_responses")

PROVIDERS: Mapping[str, Provider] = {
    "anthropic": _MESSAGES,
    "bedrock": _MESSAGES,  # through Anthropic's own client for it
    "minimax": _MESSAGES,
    "google_ai": _GEMINI,
    "google_vertex": _GEMINI,
    "openai": _BOTH,
    "azure": _BOTH,
    "openrouter": _BOTH,
    "xai": _BOTH,
    "groq": _BOTH,
    "vllm": _BOTH,
    "ollama": _BOTH,
    "deepseek": _CHAT,
    "zai": _CHAT,
    "together": _CHAT,
    "mistral": _CHAT,
    "lmstudio": Provider("openai_chat", silent_usage=True),
    "chatgpt_oauth": Provider("openai_responses"),
}


def provider_named(name: str) -> Provider:
    """Return what is known of a provider: its row, or that of a registered protocol's endpoint.

    Raises:
        UnknownWordError: nothing is; proposes the nearest name.
    """
    if name in PROVIDERS:
        return PROVIDERS[name]
    endpoints = {protocol(each).endpoint.provider: each for each in names()}
    if name not in endpoints:
        raise UnknownWordError("provider", name, {*PROVIDERS, *endpoints})
    return Provider(endpoints[name])


def protocol_of(name: str, request: Mapping[str, JSON]) -> str:
    """Return the protocol a request to a provider is written in.

    Raises:
        UnknownWordError: no such provider is known.
    """
    provider = provider_named(name)
    if provider.also is not None and "input" in request and "messages" not in request:
        return provider.also
    return provider.protocol


def estimate_tokens(text: str) -> int:
    """Guess the number of tokens of a text, without a tokenizer and without the network."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // _BYTES_A_TOKEN)
