"""The engines that are recorded: how each is started, and what is said of it in a cassette.

Each lives in .venv-engines, where `make record` puts it: none is a dependency of the harness.

Rule of this file: whoever starts an engine ends it, on every path, also when a story killed it.
"""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from recording.model import model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
HOME = HERE.parent / ".venv-engines"
BUILD = HERE.parent / "build"
PATIENCE_S = 30.0  # for an engine to begin to answer
_POLL_S = 0.02


class Kind(NamedTuple):
    """An engine.

    Args:
        name: what recordings say produced them, and the folder of its cassettes.
        version: the release that its lock pins.
        licence: the engine's.
        program: the file that is there where it is installed.
        command: port -> what starts it.
        ready: the path that answers 200 once it can be asked.
    """

    name: str
    version: str
    licence: str
    program: Path
    command: Callable[[int], list[str]]
    ready: str

    @property
    def installed(self) -> bool:
        """Whether it is there."""
        return self.program.exists()


class Running(NamedTuple):
    """A running engine: its process and where it listens."""

    pid: int
    url: str


_PYTHON = HOME / "bin" / "python"
_AIMOCK = HOME / "node_modules" / "@copilotkit" / "aimock" / "dist" / "cli.js"
_PIECES = ("-c", "12", "-l", "10")  # characters a chunk, milliseconds between two


def _llamacpp(port: int) -> list[str]:
    file = BUILD / "tiny-bigram.gguf"
    if not file.exists() or file.read_bytes() != model():
        file.write_bytes(model())
    return [str(_PYTHON), str(HERE / "engine.py"), str(file), str(port)]


def _aimock(port: int) -> list[str]:
    fixtures = str(HERE / "aimock" / "fixtures.json")
    return ["node", str(_AIMOCK), "-p", str(port), "-f", fixtures, *_PIECES]


KINDS = {
    "llamacpp": Kind(
        "llama.cpp", "b11549 (xllamacpp 2026.10.11549)", "MIT", _PYTHON, _llamacpp, "/health"
    ),
    "aimock": Kind("aimock", "1.43.0", "MIT", _AIMOCK, _aimock, "/health"),
}


@contextmanager
def running(kind: Kind) -> Iterator[Running]:
    """Serve on 127.0.0.1 while the block runs.

    Raises:
        RuntimeError: the engine did not begin to answer; its log says why.
    """
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    log = BUILD / f"{kind.name}.log"
    with (
        log.open("w") as words,
        subprocess.Popen(  # noqa: S603 - our own command
            kind.command(port), stdin=subprocess.PIPE, stdout=words, stderr=words
        ) as process,
    ):
        try:
            _wait(process, url + kind.ready, log)
            yield Running(process.pid, url)
        finally:
            process.kill()


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE_S):  # noqa: S310 - our own engine
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(_POLL_S)
    raise RuntimeError(f"the engine did not begin to answer; see {log}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
    return port
