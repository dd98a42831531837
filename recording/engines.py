"""The engines that are recorded: how each is started, and its provenance in a cassette.

``make record`` installs each into a folder of its own in .venv-engines, from the lock file in
recording/NAME: none is a dependency of the harness or of another engine.
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from recording import checkpoint
from recording.model import model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FOLDER = Path(__file__).parent
ENVIRONMENTS = FOLDER.parent / ".venv-engines"
BUILD = FOLDER.parent / "build"
_NONE: Mapping[str, str] = MappingProxyType({})


class Engine(NamedTuple):
    """An engine.

    Args:
        name: its name in the provenance of recordings.
        version: the release that its lock file pins.
        licence: the licence of the engine.
        program: a file that exists if the engine is installed.
        command: returns the command that starts it on a port.
        ready: the path that returns status 200 once it accepts requests.
        environment: variables it is started with.
        upstream: the engine behind it, a key of ``ENGINES``; its URL is in the variable UPSTREAM.
        base_paths: path of the base URL by protocol, if not the default one.
        model: the model name in requests.
        shares_process: whether its exchanges share one process, because it starts slowly.
        heavy: whether it is recorded only if it is named.
    """

    name: str
    version: str
    licence: str
    program: Path
    command: Callable[[int], list[str]]
    ready: str
    environment: Mapping[str, str] = _NONE
    upstream: str | None = None
    base_paths: Mapping[str, str] = _NONE
    model: str = "tiny-bigram"
    shares_process: bool = False
    heavy: bool = False

    @property
    def installed(self) -> bool:
        """Whether it is installed."""
        return self.program.exists()

    @property
    def record_command(self) -> str:
        """The command that records it."""
        return f"make record ENGINES={self.name}" if self.heavy else "make record"


def _python(engine: str) -> Path:
    return ENVIRONMENTS / engine / "bin" / "python"


def _node(engine: str, program: str) -> Path:
    return ENVIRONMENTS / engine / "node_modules" / program


def _llamacpp(port: int) -> list[str]:
    file = BUILD / "tiny-bigram.gguf"
    if not file.exists() or file.read_bytes() != model():
        file.write_bytes(model())
    return [str(_python("llamacpp")), str(FOLDER / "llamacpp/serve.py"), str(file), str(port)]


def _uvicorn(engine: str, app: str, port: int) -> list[str]:
    """Return the command that serves an app in one process; the engines' own start several."""
    python = str(_python(engine))
    return [python, "-m", "uvicorn", app, "--host", "127.0.0.1", "--port", str(port)]


_CHECKPOINT = "build/tiny-qwen2"  # a path, and the model name for its server
_AIMOCK = _node("aimock", "@copilotkit/aimock/dist/cli.js")
_PIECES = ("-c", "12", "-l", "10")  # characters per chunk, milliseconds between chunks
_OPENAI_MOCK_API = _node("openai-mock-api", "openai-mock-api/dist/cli.js")


def _aimock(port: int) -> list[str]:
    fixtures = str(FOLDER / "aimock/fixtures.json")
    return ["node", str(_AIMOCK), "-p", str(port), "-f", fixtures, *_PIECES]


def _openai_mock_api(port: int) -> list[str]:
    config = str(FOLDER / "openai-mock-api/responses.yaml")
    return ["node", str(_OPENAI_MOCK_API), "-c", config, "-p", str(port)]


def _mockllm(port: int) -> list[str]:
    return _uvicorn("mockllm", "mockllm.server:app", port)


def _ai_mock(port: int) -> list[str]:
    return _uvicorn("ai-mock", "mockai.server:app", port)


def _litellm(port: int) -> list[str]:
    program = str(_python("litellm").with_name("litellm"))
    config = str(FOLDER / "litellm/config.yaml")
    return [program, "--config", config, "--host", "127.0.0.1", "--port", str(port)]


def _transformers(port: int) -> list[str]:
    checkpoint.write(FOLDER.parent / _CHECKPOINT)
    program = str(_python("transformers").with_name("transformers"))
    address = ("--host", "127.0.0.1", "--port", str(port))
    return [program, "serve", _CHECKPOINT, *address, "--device", "cpu"]


ENGINES = {
    "llamacpp": Engine(
        name="llama.cpp",
        version="b11549 (xllamacpp 2026.10.11549)",
        licence="MIT",
        program=_python("llamacpp"),
        command=_llamacpp,
        ready="/health",
    ),
    "aimock": Engine(
        name="aimock",
        version="1.43.0",
        licence="MIT",
        program=_AIMOCK,
        command=_aimock,
        ready="/health",
    ),
    "mockllm": Engine(
        name="mockllm",
        version="0.0.8",
        licence="Apache-2.0",
        program=_python("mockllm"),
        command=_mockllm,
        ready="/openapi.json",
        environment={"MOCKLLM_RESPONSES_FILE": str(FOLDER / "mockllm/responses.yaml")},
    ),
    "openai-mock-api": Engine(
        name="openai-mock-api",
        version="0.4.0",
        licence="MIT",
        program=_OPENAI_MOCK_API,
        command=_openai_mock_api,
        ready="/health",
    ),
    "ai-mock": Engine(
        name="ai-mock",
        version="0.3.1",
        licence="MIT",
        program=_python("ai-mock"),
        command=_ai_mock,
        ready="/",
        environment={"MOCKAI_RESPONSES": str(FOLDER / "ai-mock/responses.json")},
        base_paths={"openai_chat": "/openai", "anthropic_messages": "/anthropic"},
    ),
    "litellm": Engine(
        name="litellm",
        version="1.106.2",
        licence="MIT",
        program=_python("litellm"),
        command=_litellm,
        ready="/health/liveliness",
        environment={
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # otherwise it downloads a price list
            "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
        },
        upstream="llamacpp",
        shares_process=True,
        heavy=True,
    ),
    "transformers": Engine(
        name="transformers",
        version="5.23.0",
        licence="Apache-2.0",
        program=_python("transformers"),
        command=_transformers,
        ready="/health",
        environment={"HF_HUB_OFFLINE": "1"},
        model=_CHECKPOINT,
        shares_process=True,
        heavy=True,
    ),
}
