"""Clients of earlier SDK versions can be wrapped: other classes, another HTTP library."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.cassettes import recording
from harness.errors import InputError
from harness.targets.environments import python_of, requirements
from harness.wire.script import Script
from tests.cassettes.recorder.clients import ROWS, register
from tests.cassettes.recorder.conftest import only

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cassettes.recorder.conftest import Provider

SDKS = {
    "oldest": "openai==1.66.0,anthropic==0.40.0,google-genai==1.20.0",
    "of the last year": "openai==2.54.0,anthropic==0.125.0,google-genai==1.75.0",
}
KINDS = {  # kind of client -> the row whose stream it reads
    "openai": "openai chat",
    "azure": "azure responses beside a deployment",
    "anthropic": "anthropic",
    "gemini": "gemini",
}


@pytest.fixture(scope="module", params=SDKS)
def python(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """The Python of an environment with some SDKs; skips if it cannot be created."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UV_CACHE_DIR", str(Path.home() / ".cache" / "uv"))
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("environments")))
        try:
            yield python_of(requirements(SDKS[request.param]))
        except InputError as error:
            pytest.skip(str(error))


@pytest.mark.parametrize("kind", KINDS)
def test_a_client_is_redirected_and_then_restored(
    kind: str, python: Path, provider: Provider, tmp_path: Path
) -> None:
    row = next(row for row in ROWS if row.name == KINDS[kind])
    url = register(provider, Script(row.frames))
    with recording(tmp_path / "a.yaml", upstream=[f"mine={url}"]) as recorder:
        script = Path(__file__).with_name("old_sdk_script.py")
        command = [str(python), "-W", "ignore", str(script), kind, url, recorder.base_url("mine")]
        completed = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own script
    assert completed.returncode == 0, completed.stderr
    through, past = json.loads(completed.stdout)
    assert through == past > 0
    assert only(tmp_path / "a.yaml").request.uri == f"{url}{row.path}"
    assert [seen.path for seen in provider.registry.exchanges("a")] == [row.path] * 2
