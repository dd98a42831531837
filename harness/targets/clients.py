"""One SDK client a provider and a run: building one costs more than a stream.

Rules of this file: SDKs are imported when a protocol first needs them (a second each); clients are
bound to the event loop they were made in, so the run that makes them closes them; certificates are
never loaded, because the harness only speaks to 127.0.0.1.
"""

from __future__ import annotations

import ssl
from functools import cached_property
from typing import TYPE_CHECKING, Any

from harness.streaming.gemini_closing import note_response

if TYPE_CHECKING:
    from harness.targets.base import Call

_KEY = "harness"  # the SDKs insist on a key; nobody reads it


class Clients:
    """The SDK clients of one run, made when first asked for.

    Args:
        transport: an in-memory httpx2 transport, or None to speak over real sockets.
    """

    def __init__(self, transport: Any = None) -> None:
        self._transport = transport

    @cached_property
    def _http(self) -> Any:
        import httpx2

        return httpx2.AsyncClient(
            transport=self._transport,
            verify=self._tls,
            timeout=30,
            event_hooks={"response": [note_response]},
        )

    @cached_property
    def _http_sync(self) -> Any:
        import httpx2

        return httpx2.Client(transport=self._transport, verify=self._tls, timeout=30)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    @cached_property
    def _openai(self) -> Any:
        import openai

        return openai.AsyncOpenAI(
            api_key=_KEY, base_url="http://127.0.0.1", max_retries=0, http_client=self._http
        )

    @cached_property
    def _anthropic(self) -> Any:
        import anthropic

        return anthropic.AsyncAnthropic(
            api_key=_KEY, base_url="http://127.0.0.1", max_retries=0, http_client=self._http
        )

    @cached_property
    def _genai(self) -> Any:
        from google import genai

        options = genai.types.HttpOptions(
            base_url="http://127.0.0.1",
            httpx_client=self._http_sync,
            httpx_async_client=self._http,
            async_client_args={"ssl": self._tls},
        )
        return genai.Client(api_key=_KEY, http_options=options)

    def openai(self, call: Call) -> Any:
        """Return the async OpenAI client that speaks to a call's address."""
        return self._openai.with_options(base_url=f"{call.base_url}/v1", timeout=_timeout(call))

    def anthropic(self, call: Call) -> Any:
        """Return the async Anthropic client that speaks to a call's address."""
        return self._anthropic.with_options(base_url=call.base_url, timeout=_timeout(call))

    def genai(self) -> Any:
        """Return the google-genai client; each request names its own address."""
        return self._genai

    async def aclose(self) -> None:
        """Close every connection of the run."""
        made = self.__dict__
        if "_http" in made:
            await self._http.aclose()
        if "_http_sync" in made:
            self._http_sync.close()


def _timeout(call: Call) -> float:
    return call.read_timeout or 30.0
