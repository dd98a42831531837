"""A call told to a target through the real SDK: events in, chunks, outcome and exception out."""

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

    Put = Callable[..., Call]
    Tell = Callable[..., Awaitable["Told"]]


class Told(NamedTuple):
    """What came of a call."""

    chunks: list[Chunk]
    outcome: Outcome
    raised: Exception | None

    def texts(self, kind: str = "text") -> str:
        """Return the words of all chunks of a kind."""
        return "".join(chunk.text or "" for chunk in self.chunks if chunk.kind == kind)


def script(protocol_name: str, stream: Sequence[JSON], **response: Any) -> Script:
    """Return the response that speaks a scenario's short hand."""
    known = protocol(protocol_name)
    events = known.composer().compose(map(entry_of, stream))
    frames = [item if isinstance(item, bytes) else known.frame(item) for item in events]
    return Script(tuple(frames), **response)


async def listen(clients: SdkClients, address: str, call: Call) -> Told:
    """Let a target read a whole stream."""
    listening = resolve(address, clients).listen(call)
    chunks: list[Chunk] = []
    raised = None
    try:
        async with listening:
            async for chunk in listening:
                chunks.append(chunk)  # noqa: PERF401 - what came before an exception is kept
    except Exception as error:  # noqa: BLE001 - the test judges it
        raised = error
    return Told(chunks, listening.outcome(), raised)


@pytest.fixture
def stage() -> ResponseRegistry:
    return ResponseRegistry()


@pytest.fixture
async def clients(stage: ResponseRegistry) -> AsyncIterator[SdkClients]:
    made = SdkClients(memory_transport(stage))
    yield made
    await made.aclose()


@pytest.fixture
def put(stage: ResponseRegistry) -> Put:
    """Return what puts a stream on the stage: ``put(protocol, stream, **response)``."""

    def putting(
        name: str, stream: Sequence[JSON], *, url: str = MEMORY_URL, **response: Any
    ) -> Call:
        key = stage.put(script(name, stream, **response))
        return Call(name, f"{url}/{key}", protocol(name).request)

    return putting


@pytest.fixture
def tell(put: Put, clients: SdkClients) -> Tell:
    """Return what tells a stream to a target: ``tell(target, protocol, stream, **response)``."""

    async def telling(address: str, name: str, stream: Sequence[JSON], **response: Any) -> Told:
        return await listen(clients, address, put(name, stream, **response))

    return telling


UV = str(Path(sys.executable).with_name("uv"))


@pytest.fixture(scope="session")
def registry() -> None:
    """Skip where no package index answers."""
    command = [UV, "pip", "compile", "-q", "-"]
    asked = subprocess.run(command, input=b"pydantic>=2.12\n", capture_output=True, check=False)  # noqa: S603 - uv
    if asked.returncode:
        pytest.skip("no package index can be reached from here")


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep environments where this test alone looks; uv keeps its own cache."""
    known = subprocess.run([UV, "cache", "dir"], capture_output=True, text=True, check=True)  # noqa: S603 - uv
    monkeypatch.setenv("UV_CACHE_DIR", known.stdout.strip())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path
