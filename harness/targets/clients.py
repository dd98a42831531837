"""One SDK client a provider and a run: building one costs more than a stream.

Rules of this file: SDKs are imported when a protocol first needs them (a second each), and handed
clients of the HTTP library their installed version is built on; clients are bound to the event loop
they were made in, so the run that makes them closes them; certificates are never loaded, because
the harness only speaks to 127.0.0.1.
"""

from __future__ import annotations

import re
import ssl
from functools import cached_property
from importlib import import_module
from importlib.metadata import requires
from typing import TYPE_CHECKING, Any, Literal

from harness.streaming.gemini_closing import note_response, note_response_sync

if TYPE_CHECKING:
    from harness.targets.base import Call

_KEY = "harness"  # the SDKs insist on a key; nobody reads it
_IDLE = 20  # connections kept open for the next stream, as the HTTP libraries' own default
_NAME = re.compile(r"[\w.-]+")  # a requirement begins with the name of what is required


def http_library(package: str) -> Literal["httpx2", "httpx"]:
    """Return the HTTP library an installed SDK is built on; the classes of the two do not mix.

    Args:
        package: the SDK's distribution, e.g. ``google-genai``.

    Raises:
        PackageNotFoundError: it is not installed.
    """
    always = (line for line in requires(package) or () if "extra ==" not in line)
    names = (_NAME.match(line) for line in always)
    return "httpx2" if "httpx2" in {name[0] for name in names if name} else "httpx"


class Clients:
    """The SDK clients of one run, made when first asked for.

    Args:
        transport: an in-memory transport (``memory_transport``), or None to speak over sockets.
        connections: the most that are open at once, which is how many streams go on at once; None
            for no limit, else whoever comes late waits.
    """

    def __init__(self, transport: Any = None, connections: int | None = 100) -> None:
        self._transport, self._connections = transport, connections
        self._http_clients: dict[str, Any] = {}
        self._sync_clients: dict[str, Any] = {}

    def _http(self, package: str) -> Any:
        """Return the HTTP client an SDK is handed; SDKs of one library share theirs."""
        library = http_library(package)
        if library not in self._http_clients:
            self._http_clients[library] = import_module(library).AsyncClient(
                **self._options(library), event_hooks={"response": [note_response]}
            )
        return self._http_clients[library]

    def _http_sync(self, package: str) -> Any:
        """Return the same for synchronous reading."""
        library = http_library(package)
        if library not in self._sync_clients:
            self._sync_clients[library] = import_module(library).Client(
                **self._options(library), event_hooks={"response": [note_response_sync]}
            )
        return self._sync_clients[library]

    def _options(self, library: Literal["httpx2", "httpx"]) -> dict[str, Any]:
        transport = None if self._transport is None else self._transport.of(library)
        limits = import_module(library).Limits(
            max_connections=self._connections, max_keepalive_connections=_IDLE
        )
        return {"transport": transport, "verify": self._tls, "timeout": 30, "limits": limits}

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    @cached_property
    def _openai(self) -> Any:
        import openai

        http = self._http("openai")
        return openai.AsyncOpenAI(
            api_key=_KEY, base_url="http://127.0.0.1", max_retries=0, http_client=http
        )

    @cached_property
    def _anthropic(self) -> Any:
        import anthropic

        http = self._http("anthropic")
        return anthropic.AsyncAnthropic(
            api_key=_KEY, base_url="http://127.0.0.1", max_retries=0, http_client=http
        )

    @cached_property
    def _openai_sync(self) -> Any:
        import openai

        http = self._http_sync("openai")
        return openai.OpenAI(
            api_key=_KEY, base_url="http://127.0.0.1", max_retries=0, http_client=http
        )

    @cached_property
    def _anthropic_sync(self) -> Any:
        import anthropic

        http = self._http_sync("anthropic")
        return anthropic.Anthropic(
            api_key=_KEY, base_url="http://127.0.0.1", max_retries=0, http_client=http
        )

    @cached_property
    def _genai(self) -> Any:
        from google import genai

        options = genai.types.HttpOptions(base_url="http://127.0.0.1", **self._genai_clients())
        return genai.Client(api_key=_KEY, http_options=options)

    def _genai_clients(self) -> dict[str, Any]:
        """Return google-genai's HTTP clients: ours, or what its older versions make theirs of."""
        from google.genai import types

        library = http_library("google-genai")
        options = self._options(library)
        # Versions that know aiohttp build a client of it where it is installed, and load
        # certificates for it, unless they are handed a context.
        if "httpx_async_client" not in types.HttpOptions.model_fields:
            return {
                "client_args": {**options, "event_hooks": {"response": [note_response_sync]}},
                "async_client_args": {**options, "event_hooks": {"response": [note_response]}},
            }
        return {
            "httpx_client": self._http_sync("google-genai"),
            "httpx_async_client": self._http("google-genai"),
            "async_client_args": {"ssl": self._tls},
        }

    def openai(self, call: Call) -> Any:
        """Return the async OpenAI client that speaks to a call's address."""
        return self._openai.with_options(base_url=f"{call.base_url}/v1", timeout=_timeout(call))

    def anthropic(self, call: Call) -> Any:
        """Return the async Anthropic client that speaks to a call's address."""
        return self._anthropic.with_options(base_url=call.base_url, timeout=_timeout(call))

    def openai_sync(self, call: Call) -> Any:
        """Return the synchronous OpenAI client that speaks to a call's address."""
        return self._openai_sync.with_options(
            base_url=f"{call.base_url}/v1", timeout=_timeout(call)
        )

    def anthropic_sync(self, call: Call) -> Any:
        """Return the synchronous Anthropic client that speaks to a call's address."""
        return self._anthropic_sync.with_options(base_url=call.base_url, timeout=_timeout(call))

    def genai(self) -> Any:
        """Return the google-genai client; each request names its own address."""
        return self._genai

    async def aclose(self) -> None:
        """Close every connection of the run."""
        for http in self._http_clients.values():
            await http.aclose()
        for sync in self._sync_clients.values():
            sync.close()


def _timeout(call: Call) -> float:
    return call.read_timeout or 30.0
