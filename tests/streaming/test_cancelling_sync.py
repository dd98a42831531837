"""Synchronous reading, cancelled: between events, and while a thread waits in a socket (CA-025)."""

from __future__ import annotations

import ssl
import threading
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import anthropic
import httpx2
import openai
import pytest
from google import genai

from harness.model import Chunk
from harness.playback.response_registry import ResponseRegistry
from harness.playback.server import serving
from harness.protocols import NAMES, protocol
from harness.streaming.cancellation import CancelSignal
from harness.streaming.gemini_closing import SyncClosingStream, track_response_sync
from harness.streaming.interfaces import interface_for
from tests.streaming.aborting import BOUND_S, IMPORT_S, frames, silent_after

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
STOP = Chunk("stop_reason", finish="cancelled")


def _openai(url: str, http: httpx2.Client) -> openai.OpenAI:
    return openai.OpenAI(api_key="k", base_url=f"{url}/v1", max_retries=0, http_client=http)


def _responses(url: str, http: httpx2.Client, request: dict[str, Any]) -> Any:
    return _openai(url, http).responses.create(stream=True, **request)


def _chat(url: str, http: httpx2.Client, request: dict[str, Any]) -> Any:
    return _openai(url, http).chat.completions.create(stream=True, **request)


def _messages(url: str, http: httpx2.Client, request: dict[str, Any]) -> Any:
    sdk = anthropic.Anthropic(api_key="k", base_url=url, max_retries=0, http_client=http)
    return sdk.messages.create(stream=True, **request)


def _generate(url: str, http: httpx2.Client, request: dict[str, Any]) -> Any:
    options = genai.types.HttpOptions(
        base_url=url, httpx_client=http, async_client_args={"ssl": TLS}
    )
    client = KEPT[url] = genai.Client(api_key="k", http_options=options)  # or it closes its HTTP
    return SyncClosingStream(client.models.generate_content_stream(**request))


KEPT: dict[str, genai.Client] = {}
OPENERS: dict[str, Callable[..., Any]] = {
    "openai_responses": _responses,
    "openai_chat": _chat,
    "anthropic_messages": _messages,
    "gemini_generate": _generate,
}


class Provider:
    """A provider on this machine that stays silent, and the synchronous SDK clients."""

    def __init__(self, registry: ResponseRegistry, url: str, http: httpx2.Client) -> None:
        self.registry, self.url, self.http = registry, url, http

    def open(self, name: str, events: int) -> tuple[str, Any]:
        """Return the key of a new exchange and the SDK's stream."""
        key = self.registry.register(silent_after(name, events))
        request = dict(protocol(name).request)
        return key, OPENERS[name](f"{self.url}/{key}", self.http, request)

    def seen(self, key: str) -> str | None:
        """Return who closed the connection, as the provider saw it."""
        until(lambda: bool(self.registry.exchanges(key)) and self._closed_by(key) is not None)
        return self._closed_by(key)

    def _closed_by(self, key: str) -> str | None:
        return self.registry.exchanges(key)[-1].closed_by


def until(true: Callable[[], bool], seconds: float = BOUND_S) -> None:
    end = monotonic() + seconds
    while not true() and monotonic() < end:
        sleep(0.001)


@pytest.fixture
def provider() -> Iterator[Provider]:
    registry = ResponseRegistry()
    limits = httpx2.Limits(max_connections=1)
    hooks: Any = {"response": [track_response_sync]}
    with (
        serving(registry) as url,
        httpx2.Client(verify=TLS, timeout=5, limits=limits, event_hooks=hooks) as http,
    ):
        yield Provider(registry, url, http)
    KEPT.clear()


@pytest.mark.parametrize("name", NAMES)
def test_a_thread_waiting_for_a_silent_provider_is_woken(name: str, provider: Provider) -> None:
    for events in range(1, len(frames(name)), 3):
        key, stream = provider.open(name, events)
        interface, signal, got = interface_for(name)(), CancelSignal(), list[Chunk]()
        chunks = interface.chunks_sync(stream, signal)
        thread = threading.Thread(target=got.extend, args=(chunks,))
        thread.start()
        until(lambda: bool(interface.diagnostics.received), IMPORT_S)  # noqa: B023 - used at once
        sleep(0.01)  # the thread waits by now; otherwise it would notice between two events
        signal.fire()
        thread.join(BOUND_S)
        assert not thread.is_alive()
        assert [chunk for chunk in got if chunk.kind == "stop_reason"] == [STOP]
        assert interface.diagnostics.cancelled
        assert interface.outcome().ending == "cancelled"
        assert provider.seen(key) == "client"


@pytest.mark.parametrize("name", NAMES)
def test_a_signal_between_two_chunks_ends_them(name: str, provider: Provider) -> None:
    key, stream = provider.open(name, len(frames(name)) - 1)
    interface, signal = interface_for(name)(), CancelSignal()
    chunks = interface.chunks_sync(stream, signal)
    first = next(chunks)
    signal.fire()
    assert provider.seen(key) == "client"  # at once: no chunk was requested yet
    assert [chunk.kind for chunk in chunks][:1] == ["stop_reason"]
    assert interface.outcome().chunks[:2] == (first, STOP)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("way", ["close", "throw"])
def test_an_abort_closes_the_stream(way: str, name: str, provider: Provider) -> None:
    for _ in range(2):  # the second fails unless the only connection was released
        key, stream = provider.open(name, len(frames(name)) - 1)
        interface = interface_for(name)()
        chunks = interface.chunks_sync(stream)
        next(chunks)
        if way == "close":
            chunks.close()
        else:
            with pytest.raises(KeyError):
                chunks.throw(KeyError("mine"))
        assert provider.seen(key) == "client"
        assert interface.outcome().finish == "cancelled"


@pytest.mark.parametrize("name", NAMES)
def test_a_run_cancelled_before_it_began_reads_no_event(name: str, provider: Provider) -> None:
    _, stream = provider.open(name, 3)
    interface, signal = interface_for(name)(), CancelSignal()
    signal.fire()
    assert list(interface.chunks_sync(stream, signal)) == [STOP]
    assert interface.diagnostics.received == 0


def test_a_stream_without_a_socket_is_closed_by_the_firing_thread() -> None:
    waiting, closed = threading.Event(), threading.Event()

    class Silent:
        def __iter__(self) -> Iterator[Any]:
            return self

        def __next__(self) -> Any:
            waiting.set()
            closed.wait(IMPORT_S)
            raise ConnectionError("closed by another thread")

        def close(self) -> None:
            closed.set()

    interface, signal, got = interface_for("openai_chat")(), CancelSignal(), list[Chunk]()
    thread = threading.Thread(target=got.extend, args=(interface.chunks_sync(Silent(), signal),))
    thread.start()
    waiting.wait(BOUND_S)
    signal.fire()
    thread.join(BOUND_S)
    assert got == [STOP]
