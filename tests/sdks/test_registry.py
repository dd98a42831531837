"""SDK bindings by protocol: found by name, added at run time, loaded when used."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness import protocols, sdks
from harness.errors import InputError, UnknownWordError
from harness.sdks.installed import http_library, version_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.sdks.binding import SdkBinding


@pytest.fixture
def toy() -> Iterator[SdkBinding]:
    toy = replace(sdks.binding_of("openai_chat"), protocol="toy", package="toy_sdk")
    sdks.register(toy)
    yield toy
    sdks.unregister("toy")


@pytest.mark.parametrize("name", protocols.NAMES)
def test_every_protocol_of_the_project_has_a_binding(name: str) -> None:
    assert name in sdks.names()
    assert sdks.binding_of(name).protocol == name


def test_an_unknown_protocol_proposes_a_known_one() -> None:
    with pytest.raises(UnknownWordError, match="did you mean 'openai_chat'"):
        sdks.binding_of("openai_chats")


def test_a_registered_binding_is_found_until_it_is_unregistered(toy: SdkBinding) -> None:
    assert sdks.binding_of("toy") is toy
    assert sdks.names()[-1] == "toy"
    assert "toy_sdk" in sdks.packages()
    sdks.unregister("toy")
    assert "toy" not in sdks.names()
    sdks.register(toy)


def test_a_protocol_has_one_binding(toy: SdkBinding) -> None:
    with pytest.raises(ValueError, match="'toy' has an SDK binding already"):
        sdks.register(toy)


def test_the_packages_are_those_of_sdks_and_http_libraries() -> None:
    own = {"openai", "anthropic", "google"}
    assert sdks.packages() == own | {"httpx", "httpx2", "httpcore", "httpcore2"}


def test_a_missing_sdk_is_named_with_the_extra_that_installs_it() -> None:
    assert version_of("no-such-sdk") is None
    with pytest.raises(InputError, match=r"no-such-sdk is not installed; pip install '.*\[sdks\]'"):
        http_library("no-such-sdk")


def test_a_binding_is_loaded_without_its_sdk_and_without_the_others() -> None:
    code = (
        "import sys, harness.sdks\n"
        "harness.sdks.binding_of('anthropic_messages')\n"
        "wanted = ('openai', 'anthropic', 'google', 'httpx', 'httpx2', 'harness.sdks.openai')\n"
        "print([name for name in wanted if name in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own code
    assert result.stdout.splitlines() == ["[]"]


def test_what_a_first_request_imports_is_loaded_before(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom harness import sdks\nsdks.load('openai_chat')\n"
        "assert 'openai.resources.chat' in sys.modules\nsdks.load('no_such_protocol')"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)  # noqa: S603 - our own code
