"""From an address to a target, and the errors for addresses that name none."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, cast

import pytest

from harness.cli import main
from harness.errors import InputError, UnknownWordError
from harness.model import Outcome
from harness.protocols import NAMES
from harness.targets.addresses import BUILTIN, TargetRow, leak_exceptions
from harness.targets.base import Call, FunctionTarget, Target
from harness.targets.resolving import check, listens_in_memory, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.sdks.clients import SdkClients

MODULE = """
from harness.model import Outcome

async def function(call):
    return Outcome(finish_raw=call.protocol)

async def chat_only(call):
    return Outcome()
chat_only.protocols = ("openai_chat",)

class Mine:
    name = "mine"
    protocols = ("anthropic_messages",)
    function = staticmethod(function)
    def listen(self, call):
        raise NotImplementedError

mine = Mine()
number = 7
"""


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Write a module into the working folder, which is not on the search path."""
    (tmp_path / "my_targets.py").write_text(MODULE, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    yield
    sys.modules.pop("my_targets", None)


@pytest.mark.parametrize("address", ["builtin", "sdk", "sdk-helper"])
def test_a_built_in_address_is_a_target_of_that_name(address: str, clients: SdkClients) -> None:
    target = resolve(address, clients)
    assert isinstance(target, Target)
    assert (target.name, target.protocols) == (address, NAMES)


def test_a_function_becomes_a_target_named_by_its_address(clients: SdkClients) -> None:
    target = resolve("python:my_targets:function", clients)
    assert (target.name, target.protocols) == ("python:my_targets:function", NAMES)


def test_a_function_declares_its_protocols(clients: SdkClients) -> None:
    assert resolve("python:my_targets:chat_only", clients).protocols == ("openai_chat",)


@pytest.mark.parametrize("attribute", ["mine", "Mine"])
def test_an_object_is_taken_as_it_is_and_a_class_is_made(
    attribute: str, clients: SdkClients
) -> None:
    target = resolve(f"python:my_targets:{attribute}", clients)
    assert (target.name, target.protocols) == ("mine", ("anthropic_messages",))


def test_an_object_instead_of_a_string_is_used_as_it_is(clients: SdkClients) -> None:
    async def mine(_: Call) -> Outcome:
        return Outcome()

    made = FunctionTarget("made", mine)
    assert resolve(made, clients) is made
    assert resolve(mine, clients).name.endswith("mine")


def test_an_attribute_may_be_a_path(clients: SdkClients) -> None:
    target = resolve("python:my_targets:Mine.function", clients)
    assert target.name == "python:my_targets:Mine.function"


@pytest.mark.parametrize(
    ("address", "near"),
    [("sdk-helpr", "'sdk-helper'"), ("bultin", "'builtin'"), ("skd", "'sdk'")],
)
def test_an_unknown_address_proposes_the_nearest(address: str, near: str) -> None:
    with pytest.raises(UnknownWordError, match=f"did you mean {near}"):
        check(address)


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("python:my_targets", "write it as python:pkg.module:attr"),
        ("python::function", "write it as python:pkg.module:attr"),
        ("python:my_targets:", "write it as python:pkg.module:attr"),
        ("python:no_such_module:x", "No module named 'no_such_module'"),
        ("python:my_targets:absent", "has no attribute 'absent'"),
        ("python:my_targets:number", "is neither a target nor a function"),
    ],
)
def test_an_invalid_address_is_named_in_one_line(
    address: str, reason: str, clients: SdkClients
) -> None:
    with pytest.raises(InputError) as caught:
        resolve(address, clients)
    message = str(caught.value)
    assert address in message
    assert reason in message
    assert "\n" not in message


@pytest.mark.parametrize("address", ["builtin", "sdk-helper"])
def test_without_any_sdk_the_error_names_the_extra(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.targets.resolving.version_of", lambda _distribution: None)
    with pytest.raises(InputError, match=r"needs a provider SDK; pip install '.*\[sdks\]'"):
        check(address)
    assert check("python:my_targets:function") == "python:my_targets:function"


def test_a_run_without_any_sdk_is_a_usage_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("harness.targets.resolving.version_of", lambda _distribution: None)
    assert main(["run", "openai_chat/baseline/text"]) == 2
    assert "pip install 'llm-stream-harness[sdks]'" in capsys.readouterr().err


FRAMEWORK = """
class Framework:
    name, protocols = "framework", ("openai_chat",)
    def __init__(self, clients): self.clients = clients
    def listen(self, call): raise NotImplementedError
"""


def test_a_framework_target_is_a_module_and_a_row(
    tmp_path: Path, clients: SdkClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_framework.py").write_text(FRAMEWORK, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    row = TargetRow("my_framework", "Framework", {"sync": "sdk"}, frozenset({"framework_sdk"}))
    monkeypatch.setitem(cast("dict[str, TargetRow]", BUILTIN), "framework", row)
    assert check("framework") == "framework"
    assert resolve("framework", clients).name == "framework"
    assert listens_in_memory("framework")
    assert "framework_sdk" in leak_exceptions()
