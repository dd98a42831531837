"""What is imported to resolve and to build a target, and what is not."""

from __future__ import annotations

import subprocess
import sys

import pytest

RESOLVE = "import harness.targets.resolving as r"
BUILD = (
    "from harness.targets.resolving import resolve\n"
    "from harness.sdks.clients import SdkClients\n"
    "resolve('builtin', SdkClients())"
)


def loaded_by(code: str) -> set[str]:
    program = f"import sys\n{code}\nprint(*sys.modules)"
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own code
    return set(result.stdout.split())


def test_resolving_loads_no_target_and_no_sdk() -> None:
    loaded = loaded_by(RESOLVE)
    built_in = {"builtin", "builtin_sync", "sdk", "sdk_helper", "sdk_nonstreaming", "layers"}
    assert not loaded & {f"harness.targets.{name}" for name in built_in}
    assert not loaded & {"openai", "anthropic", "google", "httpx", "httpx2", "harness.streaming"}


@pytest.mark.parametrize(
    "module", ["openai", "httpx2", "harness.streaming.serving", "harness.targets.layers"]
)
def test_building_the_built_in_target_loads_only_what_it_uses(module: str) -> None:
    assert module not in loaded_by(BUILD)


def test_the_layers_of_the_built_in_target_are_loaded_on_first_use() -> None:
    code = "from harness.targets.resolving import layers_of\nlayers_of('builtin')"
    assert {"harness.targets.layers", "harness.streaming.serving"} <= loaded_by(code)
