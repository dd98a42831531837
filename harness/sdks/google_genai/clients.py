"""The client of google-genai, and the address of a call, which each request carries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.sdks.clients import API_KEY, PLACEHOLDER_URL
from harness.sdks.installed import http_library
from harness.streaming.gemini_closing import track_response, track_response_sync

if TYPE_CHECKING:
    from harness.sdks.call import SdkCall
    from harness.sdks.clients import SdkClients

DISTRIBUTION = "google-genai"


def client_of(clients: SdkClients) -> Any:
    """Return the client of a run, for asynchronous and synchronous requests."""
    return clients.get(_make)


def request_of(call: SdkCall) -> dict[str, Any]:
    """Return a call's keyword arguments with its address and timeout, in milliseconds."""
    options: dict[str, Any] = {"base_url": call.base_url}
    if call.read_timeout:
        options["timeout"] = int(call.read_timeout * 1000)
    config = {**call.request.get("config", {}), "http_options": options}
    return {**call.request, "config": config}


def _make(clients: SdkClients) -> Any:
    from google import genai

    options = genai.types.HttpOptions(base_url=PLACEHOLDER_URL, **_http_clients(clients))
    return genai.Client(api_key=API_KEY, http_options=options)


def _http_clients(clients: SdkClients) -> dict[str, Any]:
    """Return the HTTP clients of the run, or the options with which older versions make theirs."""
    from google.genai import types

    library = http_library(DISTRIBUTION)
    options = clients.options(library)
    if "httpx_async_client" not in types.HttpOptions.model_fields:
        return {
            "client_args": {**options, "event_hooks": {"response": [track_response_sync]}},
            "async_client_args": {**options, "event_hooks": {"response": [track_response]}},
        }
    http, http_sync = clients.http(library), clients.http_sync(library)
    http.event_hooks = {"response": [track_response]}  # other SDKs of the run are not disturbed
    http_sync.event_hooks = {"response": [track_response_sync]}
    return {
        "httpx_client": http_sync,
        "httpx_async_client": http,
        # Versions that support aiohttp make a client of it where it is installed, and load
        # certificates for it unless they are given a context.
        "async_client_args": {"ssl": clients.tls},
    }
