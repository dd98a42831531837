"""Providers on a socket, and requests to them through the recorder."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import httpx2
import pytest

from harness.cassettes import load
from harness.playback.response_registry import ResponseRegistry
from harness.playback.server import serving
from harness.wire.script import Script

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.cassettes.cassette import Interaction

FRAMES = tuple(f'data: {{"delta":"word {n} "}}\n\n'.encode() for n in range(10))
BODY = b"".join(FRAMES)
SCRIPT = Script(FRAMES, headers=(("content-type", "text/event-stream"), ("x-request-id", "req_1")))


class Provider:
    """A loopback server and its registry."""

    def __init__(self, registry: ResponseRegistry, url: str) -> None:
        self.registry, self.url = registry, url

    def register(self, script: Script, key: str = "a") -> str:
        """Register a script under a key; return the upstream argument ``a=URL`` for it."""
        return f"a={self.url}/{self.registry.register(script, key)}"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    registry = ResponseRegistry()
    with serving(registry) as url:
        yield Provider(registry, url)


def only(path: Path) -> Interaction:
    [found] = load(path).interactions
    return found


def ask(url: str, body: bytes = b'{"a":1}', **headers: str) -> httpx2.Response:
    return httpx2.post(f"{url}/v1/x", content=body, headers=headers, trust_env=False, timeout=60)


@pytest.fixture
def plain_server() -> Iterator[Callable[..., str]]:
    """A server that sends fixed bytes to each client and closes the connection."""
    sockets = []

    def start(answer: bytes, context: ssl.SSLContext | None = None) -> str:
        bound = socket.create_server(("127.0.0.1", 0))
        sockets.append(bound)
        threading.Thread(target=_answer, args=(bound, answer, context), daemon=True).start()
        return f"http://127.0.0.1:{bound.getsockname()[1]}"

    yield start
    for bound in sockets:
        bound.shutdown(socket.SHUT_RDWR)
        bound.close()


def _answer(bound: socket.socket, answer: bytes, context: ssl.SSLContext | None) -> None:
    while True:
        try:
            peer, _ = bound.accept()
        except OSError:
            return
        with context.wrap_socket(peer, server_side=True) if context else peer as asked:
            asked.recv(65536)
            asked.sendall(answer)
