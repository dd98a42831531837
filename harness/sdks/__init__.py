"""The provider SDKs: one folder per SDK, one value (``SdkBinding``) per wire language it reads.

``binding_of(protocol)`` returns the binding of a wire language and imports its module on first use;
``register`` adds another one. A folder holds ``clients.py`` (the SDK's clients) and one file per
wire language: how a stream is opened, the iteration that the SDK's documents show, its helper, what
its finished objects contain, and what its types know.

Shared by all: clients.py (the clients of one run), reader.py and listening.py (reading a stream),
result.py (what was delivered), installed.py (versions), events.py (an SDK's events as JSON),
introspection.py and vocabulary.py (what the installed SDKs know). This package is the only importer
of openai, anthropic and google-genai, and imports them only when a protocol is used.
"""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from harness.errors import UnknownWordError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.sdks.binding import SdkBinding
    from harness.sdks.call import SdkCall
    from harness.sdks.clients import SdkClients

# Protocol -> the module that holds its ``BINDING``.
_MODULES: Mapping[str, str] = {
    "openai_responses": "harness.sdks.openai.responses",
    "openai_chat": "harness.sdks.openai.chat",
    "anthropic_messages": "harness.sdks.anthropic.messages",
    "gemini_generate": "harness.sdks.google_genai.generate_content",
}
HTTP_PACKAGES = frozenset({"httpx", "httpx2", "httpcore", "httpcore2"})
_registered: dict[str, SdkBinding] = {}


def names() -> tuple[str, ...]:
    """Return the protocols that have a binding, those of this package first."""
    return (*_MODULES, *_registered)


def register(binding: SdkBinding) -> None:
    """Make a binding known under the name of its protocol.

    Raises:
        ValueError: the protocol has a binding already.
    """
    if binding.protocol in names():
        raise ValueError(f"the protocol {binding.protocol!r} has an SDK binding already")
    _registered[binding.protocol] = binding


def unregister(protocol: str) -> None:
    """Undo ``register``.

    Raises:
        KeyError: no binding was registered for that protocol.
    """
    del _registered[protocol]


def binding_of(protocol: str) -> SdkBinding:
    """Return the binding of a protocol.

    Raises:
        UnknownWordError: the protocol has none.
    """
    if protocol in _registered:
        return _registered[protocol]
    if protocol not in _MODULES:
        raise UnknownWordError("protocol", protocol, names())
    binding: SdkBinding = import_module(_MODULES[protocol]).BINDING
    return binding


def load(protocol: str) -> None:
    """Import what a first request imports, so that its duration is that of the request alone.

    A protocol without a binding and an SDK that is not installed are left to the request to report.
    """
    if protocol in names():
        for module in binding_of(protocol).modules:
            with suppress(ImportError):
                import_module(module)


def packages() -> frozenset[str]:
    """Return the top-level packages of all SDKs and of the HTTP libraries under them."""
    return HTTP_PACKAGES.union(binding_of(name).package for name in names())


async def open_stream(clients: SdkClients, call: SdkCall) -> Any:
    """Return the SDK's asynchronous stream of typed events for a call.

    Raises:
        Exception: what the SDK raises when the provider refuses the request.
    """
    return await binding_of(call.protocol).open_stream(clients, call)


def open_stream_sync(clients: SdkClients, call: SdkCall) -> Any:
    """Return the SDK's synchronous stream of typed events for a call.

    Raises:
        Exception: what the SDK raises when the provider refuses the request.
    """
    return binding_of(call.protocol).open_stream_sync(clients, call)
