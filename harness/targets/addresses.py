"""Addresses of targets, and the table of built-in targets.

Addresses are taken apart here and nowhere else; nothing is imported or started.
"""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from harness.errors import InputError, UnknownWordError
from harness.sdks import packages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.targets.environments import Requirements
    from harness.targets.stdio import Process


class TargetRow(NamedTuple):
    """A built-in target.

    Args:
        module: the module that holds it, imported when the target is used.
        attribute: its class there; called with the run's ``SdkClients``.
        variants: other targets that must deliver the same: the name of the difference (``sync``,
            ``nonstreaming``) -> address. Property tests compare them.
        leak_exceptions: top-level packages whose suspended generators are not counted as leaks
            after an abort, beside those of the SDKs.
    """

    module: str
    attribute: str
    variants: Mapping[str, str] = {}
    leak_exceptions: frozenset[str] = frozenset()


BUILTIN: Mapping[str, TargetRow] = {
    "builtin": TargetRow(
        "harness.targets.builtin",
        "BuiltinTarget",
        variants={"sync": "builtin-sync", "nonstreaming": "sdk-nonstreaming"},
    ),
    "builtin-sync": TargetRow("harness.targets.builtin_sync", "BuiltinSyncTarget"),
    "sdk": TargetRow(
        "harness.targets.sdk", "SdkTarget", variants={"nonstreaming": "sdk-nonstreaming"}
    ),
    "sdk-helper": TargetRow("harness.targets.sdk_helper", "SdkHelperTarget"),
    "sdk-nonstreaming": TargetRow("harness.targets.sdk_nonstreaming", "SdkNonstreamingTarget"),
    "letta": TargetRow("harness.targets.frameworks.letta", "LettaTarget"),
}
PYTHON, COMMAND, ENV = "python:", "command:", "env:"
FORMS = (
    *BUILTIN,
    "python:pkg.module:attr",
    "command:PROGRAM ARGUMENTS",
    "env:REQUIREMENTS!TARGET",
)
_WORKER = Path(__file__).with_name("worker.py")


def leak_exceptions() -> frozenset[str]:
    """Return the packages whose suspended generators are not counted as leaks after an abort."""
    return packages().union(*(row.leak_exceptions for row in BUILTIN.values()))


def replies_once(address: str | object) -> bool:
    """Return whether a target replies once per stream, so that its chunks cannot be observed."""
    return isinstance(address, str) and address.startswith((ENV, COMMAND))


def is_external_command(address: str) -> bool:
    """Return whether a target's process is a program of its own, not a worker of ours."""
    return environment_of(address).target.startswith(COMMAND)


def in_environment(name: str, target: str) -> str:
    """Return the address of a target in an environment.

    Args:
        name: a set of requirements, ``current``, or a whole address, which is returned as it is.
        target: an address; if it names an environment, the set is added to that.
    """
    if name.startswith((ENV, COMMAND, PYTHON)) or name in BUILTIN:
        return name
    from harness.targets.environments import CURRENT

    if name == CURRENT:
        return target
    base, mark, bare = target.removeprefix(ENV).rpartition("!")
    if target.startswith(ENV) and mark:
        return f"{ENV}{base},{name}!{bare}"
    return f"{ENV}{name}!{target}"


class EnvironmentTarget(NamedTuple):
    """A target inside an environment."""

    requirements: Requirements
    target: str


def environment_of(address: str) -> EnvironmentTarget:
    """Return what ``env:REQUIREMENTS!TARGET`` names; other addresses are in our environment.

    Raises:
        InputError: one of the two halves is missing, or the requirements cannot be read.
    """
    from harness.targets.environments import CURRENT, requirements

    if not address.startswith(ENV):
        return EnvironmentTarget(requirements(CURRENT), address)
    required, mark, target = address.removeprefix(ENV).rpartition("!")
    if not mark or not required or not target:
        raise InputError(f"target {address!r}: write it as env:REQUIREMENTS!TARGET")
    return EnvironmentTarget(requirements(required), target)


def check_form(address: str) -> str:
    """Return an address of a valid form; what it names may be in another environment.

    Raises:
        UnknownWordError: its form is not valid.
    """
    if address not in BUILTIN and not address.startswith((PYTHON, COMMAND)):
        raise UnknownWordError("target", address, FORMS)
    return address


def process_of(address: str) -> Process:
    """Return the process of a target: its own program, or a worker in its environment.

    Raises:
        InputError: its environment cannot be made, or there is no such program.
    """
    from harness.targets.environments import python_of
    from harness.targets.stdio import Process

    wanted, target = environment_of(address)
    python = python_of(wanted)
    variables = dict(os.environ)
    if wanted.lines:  # modules along PYTHONPATH would take precedence over those installed there
        variables.pop("PYTHONPATH", None)
    if target.startswith(COMMAND):
        path = os.pathsep.join((str(python.parent), os.environ.get("PATH", os.defpath)))
        return Process(command_of(target, path), {**variables, "PATH": path})
    return Process((str(python), "-P", str(_WORKER), check_form(target)), variables)


def command_of(address: str, path: str | None = None) -> list[str]:
    """Return the program and the arguments of ``command:PROGRAM ARGUMENTS``.

    Args:
        address: the address.
        path: where to look for the program; None for the search path of this process.

    Raises:
        InputError: it cannot be read, or there is no such program.
    """
    try:
        command = shlex.split(address.removeprefix(COMMAND))
    except ValueError as error:
        raise InputError(f"target {address!r}: {error}") from None
    program = shutil.which(command[0], path=path) if command else None
    if program is None:
        raise InputError(f"target {address!r}: program {''.join(command[:1])!r} not found")
    return [program, *command[1:]]
