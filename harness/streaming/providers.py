"""The table of providers and the protocol of each.

Rule of this file: a provider that is not in the table is an error; for a provider with two
protocols, the form of the request decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import UnknownWordError
from harness.protocols import names, protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model import JSON

_BYTES_PER_TOKEN = 4  # of English text, https://platform.openai.com/tokenizer


@dataclass(frozen=True)
class Provider:
    """What the adapter needs to know about a provider.

    Args:
        protocol: its protocol.
        input_protocol: its protocol for requests with ``input`` instead of ``messages``, if any.
        may_omit_usage: whether it may report no usage; the output tokens are then estimated.
    """

    protocol: str
    input_protocol: str | None = None
    may_omit_usage: bool = False


_MESSAGES = Provider("anthropic_messages")
_GEMINI = Provider("gemini_generate")
_CHAT = Provider("openai_chat")
_BOTH = Provider("openai_chat", input_protocol="openai_responses")

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
    "lmstudio": Provider("openai_chat", may_omit_usage=True),
    "chatgpt_oauth": Provider("openai_responses"),
}


def provider_named(name: str) -> Provider:
    """Return a provider: a row of the table, or the endpoint of a registered protocol.

    Raises:
        UnknownWordError: there is no such provider; the error proposes the nearest name.
    """
    if name in PROVIDERS:
        return PROVIDERS[name]
    endpoints = {protocol(each).endpoint.provider: each for each in names()}
    if name not in endpoints:
        raise UnknownWordError("provider", name, {*PROVIDERS, *endpoints})
    return Provider(endpoints[name])


def provider_of(protocol_name: str) -> str:
    """Return a provider that is asked in a protocol, whatever a request to it holds."""
    only = (
        name
        for name, known in PROVIDERS.items()
        if known.protocol == protocol_name and known.input_protocol is None
    )
    return next(only, protocol(protocol_name).endpoint.provider)


def protocol_of(name: str, request: Mapping[str, JSON]) -> str:
    """Return the protocol a request to a provider is written in.

    Raises:
        UnknownWordError: there is no such provider.
    """
    provider = provider_named(name)
    if provider.input_protocol is not None and "input" in request and "messages" not in request:
        return provider.input_protocol
    return provider.protocol


def estimate_tokens(text: str) -> int:
    """Estimate the number of tokens of a text, without a tokenizer or the network."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // _BYTES_PER_TOKEN)
