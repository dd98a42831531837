"""A provider on a socket, and whoever asks it through the recorder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.replay.server import serving
from harness.replay.stage import Stage
from harness.wire.script import Script

if TYPE_CHECKING:
    from collections.abc import Iterator

FRAMES = tuple(f'data: {{"delta":"word {n} "}}\n\n'.encode() for n in range(10))
TOLD = Script(FRAMES, headers=(("content-type", "text/event-stream"), ("x-request-id", "req_1")))


class Provider:
    """A loopback server and its stage."""

    def __init__(self, stage: Stage, url: str) -> None:
        self.stage, self.url = stage, url

    def tells(self, script: Script, key: str = "a") -> str:
        """Have a script told under a key; return what names it as an upstream."""
        return f"a={self.url}/{self.stage.put(script, key)}"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    stage = Stage()
    with serving(stage) as url:
        yield Provider(stage, url)
