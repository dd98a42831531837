"""The engines that are recorded: how each is started, and what is said of it in a cassette.

Each lives in a folder of its own in .venv-engines, where `make record` puts it with the lock that
lies in recording/NAME: none is a dependency of the harness, nor of another engine.
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from recording import checkpoint
from recording.model import model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HERE = Path(__file__).parent
HOMES = HERE.parent / ".venv-engines"
BUILD = HERE.parent / "build"
_NONE: Mapping[str, str] = MappingProxyType({})


class Kind(NamedTuple):
    """An engine.

    Args:
        name: what recordings say produced them, and the folder of its cassettes.
        version: the release that its lock pins.
        licence: the engine's.
        program: the file that is there where it is installed.
        command: port -> what starts it.
        ready: the path that answers 200 once it can be asked.
        environment: variables it is started with.
        behind: the engine that answers for it, a word of ``KINDS``; UPSTREAM tells it where.
        bases: protocol -> the path its clients' addresses end with, where it is not the usual one.
        model: what it is asked for.
        shared: whether its stories share one process: its start costs more than they do.
        heavy: whether it is recorded only when it is asked for by name.
    """

    name: str
    version: str
    licence: str
    program: Path
    command: Callable[[int], list[str]]
    ready: str
    environment: Mapping[str, str] = _NONE
    behind: str | None = None
    bases: Mapping[str, str] = _NONE
    model: str = "tiny-bigram"
    shared: bool = False
    heavy: bool = False

    @property
    def installed(self) -> bool:
        """Whether it is there."""
        return self.program.exists()

    @property
    def made_by(self) -> str:
        """The command that records it."""
        return f"make record ENGINES={self.name}" if self.heavy else "make record"


def _python(engine: str) -> Path:
    return HOMES / engine / "bin" / "python"


def _node(engine: str, program: str) -> Path:
    return HOMES / engine / "node_modules" / program


def _llamacpp(port: int) -> list[str]:
    file = BUILD / "tiny-bigram.gguf"
    if not file.exists() or file.read_bytes() != model():
        file.write_bytes(model())
    return [str(_python("llamacpp")), str(HERE / "llamacpp/serve.py"), str(file), str(port)]


def _uvicorn(engine: str, app: str, port: int) -> list[str]:
    """Return what serves an app in one process: the engines' own commands start others."""
    python = str(_python(engine))
    return [python, "-m", "uvicorn", app, "--host", "127.0.0.1", "--port", str(port)]


_CHECKPOINT = "build/tiny-qwen2"  # a path, and the name its server knows the model by
_AIMOCK = _node("aimock", "@copilotkit/aimock/dist/cli.js")
_PIECES = ("-c", "12", "-l", "10")  # characters a chunk, milliseconds between two
_OPENAI_MOCK_API = _node("openai-mock-api", "openai-mock-api/dist/cli.js")


def _aimock(port: int) -> list[str]:
    fixtures = str(HERE / "aimock/fixtures.json")
    return ["node", str(_AIMOCK), "-p", str(port), "-f", fixtures, *_PIECES]


def _openai_mock_api(port: int) -> list[str]:
    config = str(HERE / "openai-mock-api/responses.yaml")
    return ["node", str(_OPENAI_MOCK_API), "-c", config, "-p", str(port)]


def _mockllm(port: int) -> list[str]:
    return _uvicorn("mockllm", "mockllm.server:app", port)


def _ai_mock(port: int) -> list[str]:
    return _uvicorn("ai-mock", "mockai.server:app", port)


def _litellm(port: int) -> list[str]:
    program = str(_python("litellm").with_name("litellm"))
    config = str(HERE / "litellm/config.yaml")
    return [program, "--config", config, "--host", "127.0.0.1", "--port", str(port)]


def _transformers(port: int) -> list[str]:
    checkpoint.write(HERE.parent / _CHECKPOINT)
    program = str(_python("transformers").with_name("transformers"))
    address = ("--host", "127.0.0.1", "--port", str(port))
    return [program, "serve", _CHECKPOINT, *address, "--device", "cpu"]


KINDS = {
    "llamacpp": Kind(
        name="llama.cpp",
        version="b11549 (xllamacpp 2026.10.11549)",
        licence="MIT",
        program=_python("llamacpp"),
        command=_llamacpp,
        ready="/health",
    ),
    "aimock": Kind(
        name="aimock",
        version="1.43.0",
        licence="MIT",
        program=_AIMOCK,
        command=_aimock,
        ready="/health",
    ),
    "mockllm": Kind(
        name="mockllm",
        version="0.0.8",
        licence="Apache-2.0",
        program=_python("mockllm"),
        command=_mockllm,
        ready="/openapi.json",
        environment={"MOCKLLM_RESPONSES_FILE": str(HERE / "mockllm/responses.yaml")},
    ),
    "openai-mock-api": Kind(
        name="openai-mock-api",
        version="0.4.0",
        licence="MIT",
        program=_OPENAI_MOCK_API,
        command=_openai_mock_api,
        ready="/health",
    ),
    "ai-mock": Kind(
        name="ai-mock",
        version="0.3.1",
        licence="MIT",
        program=_python("ai-mock"),
        command=_ai_mock,
        ready="/",
        environment={"MOCKAI_RESPONSES": str(HERE / "ai-mock/responses.json")},
        bases={"openai_chat": "/openai", "anthropic_messages": "/anthropic"},
    ),
    "litellm": Kind(
        name="litellm",
        version="1.106.2",
        licence="MIT",
        program=_python("litellm"),
        command=_litellm,
        ready="/health/liveliness",
        environment={
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # or it asks the world for prices
            "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
        },
        behind="llamacpp",
        shared=True,
        heavy=True,
    ),
    "transformers": Kind(
        name="transformers",
        version="5.23.0",
        licence="Apache-2.0",
        program=_python("transformers"),
        command=_transformers,
        ready="/health",
        environment={"HF_HUB_OFFLINE": "1"},
        model=_CHECKPOINT,
        shared=True,
        heavy=True,
    ),
}
