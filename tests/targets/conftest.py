"""A target run through the real SDK: events in; chunks, outcome and exception out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from harness.playback.response_registry import ResponseRegistry
from harness.playback.transport import MEMORY_URL, memory_transport
from harness.protocols import protocol
from harness.protocols.composing import entry_of
from harness.sdks.clients import SdkClients
from harness.targets.base import Call
from harness.targets.resolving import resolve
from harness.wire.script import Script

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from harness.model import JSON, Chunk, Outcome

    Serve = Callable[..., Call]
    RunTarget = Callable[..., Awaitable["TargetRun"]]


class TargetRun(NamedTuple):
    """What a target delivered for one call."""

    chunks: list[Chunk]
    outcome: Outcome
    raised: Exception | None

    def texts(self, kind: str = "text") -> str:
        """Return the joined text of all chunks of a kind."""
        return "".join(chunk.text or "" for chunk in self.chunks if chunk.kind == kind)


def script(protocol_name: str, stream: Sequence[JSON], **response: Any) -> Script:
    """Return the response that sends a stream in the shorthand of scenarios."""
    known = protocol(protocol_name)
    events = known.composer().compose(map(entry_of, stream))
    frames = [item if isinstance(item, bytes) else known.frame(item) for item in events]
    return Script(tuple(frames), **response)


async def read_target(clients: SdkClients, address: str, call: Call) -> TargetRun:
    """Let a target read a stream to its end."""
    listening = resolve(address, clients).listen(call)
    chunks: list[Chunk] = []
    raised = None
    try:
        async with listening:
            async for chunk in listening:
                chunks.append(chunk)  # noqa: PERF401 - chunks before an exception are kept
    except Exception as error:  # noqa: BLE001 - asserted by the test
        raised = error
    return TargetRun(chunks, listening.outcome(), raised)


@pytest.fixture
def registry() -> ResponseRegistry:
    return ResponseRegistry()


@pytest.fixture
async def clients(registry: ResponseRegistry) -> AsyncIterator[SdkClients]:
    clients = SdkClients(memory_transport(registry))
    yield clients
    await clients.aclose()


@pytest.fixture
def serve(registry: ResponseRegistry) -> Serve:
    """Return the function that registers a stream: ``serve(protocol, stream, **response)``."""

    def serve(name: str, stream: Sequence[JSON], *, url: str = MEMORY_URL, **response: Any) -> Call:
        key = registry.register(script(name, stream, **response))
        return Call(name, f"{url}/{key}", protocol(name).request)

    return serve


@pytest.fixture
def run_target(serve: Serve, clients: SdkClients) -> RunTarget:
    """Return the function that runs a target: ``run_target(address, protocol, stream, …)``."""

    async def run(address: str, name: str, stream: Sequence[JSON], **response: Any) -> TargetRun:
        return await read_target(clients, address, serve(name, stream, **response))

    return run


UV = str(Path(sys.executable).with_name("uv"))


@pytest.fixture(scope="session")
def package_index() -> None:
    """Skip the test if no package index can be reached."""
    command = [UV, "pip", "compile", "-q", "-"]
    attempt = subprocess.run(command, input=b"pydantic>=2.12\n", capture_output=True, check=False)  # noqa: S603 - uv
    if attempt.returncode:
        pytest.skip("no package index can be reached from here")


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep environments in a folder of this test; uv keeps its own cache."""
    known = subprocess.run([UV, "cache", "dir"], capture_output=True, text=True, check=True)  # noqa: S603 - uv
    monkeypatch.setenv("UV_CACHE_DIR", known.stdout.strip())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path
