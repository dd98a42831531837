"""The clients of the OpenAI SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.sdks.clients import API_KEY, PLACEHOLDER_URL, timeout_of
from harness.sdks.installed import http_library

if TYPE_CHECKING:
    from harness.sdks.call import SdkCall
    from harness.sdks.clients import SdkClients

DISTRIBUTION = "openai"


def async_client(clients: SdkClients, call: SdkCall) -> Any:
    """Return the asynchronous client for a call's address."""
    return _for_call(clients.get(_make), call)


def sync_client(clients: SdkClients, call: SdkCall) -> Any:
    """Return the synchronous client for a call's address."""
    return _for_call(clients.get(_make_sync), call)


def _for_call(client: Any, call: SdkCall) -> Any:
    return client.with_options(base_url=f"{call.base_url}/v1", timeout=timeout_of(call))


def _make(clients: SdkClients) -> Any:
    import openai

    http = clients.http(http_library(DISTRIBUTION))
    return openai.AsyncOpenAI(
        api_key=API_KEY, base_url=PLACEHOLDER_URL, max_retries=0, http_client=http
    )


def _make_sync(clients: SdkClients) -> Any:
    import openai

    http = clients.http_sync(http_library(DISTRIBUTION))
    return openai.OpenAI(api_key=API_KEY, base_url=PLACEHOLDER_URL, max_retries=0, http_client=http)
