"""Where a target lives: in this process, behind a program, or inside an environment.

Rule of this file: an address is taken apart here and nowhere else; nothing is imported or started.
"""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from harness.errors import InputError, UnknownWordError
from harness.targets.environments import CURRENT, python_of, requirements
from harness.targets.stdio import Process

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.targets.environments import Requirements

# Word -> module and class: a target is imported when it is asked for.
BUILTIN: Mapping[str, tuple[str, str]] = {
    "builtin": ("harness.targets.builtin", "BuiltinTarget"),
    "builtin-sync": ("harness.targets.builtin_sync", "BuiltinSyncTarget"),
    "sdk": ("harness.targets.sdk", "SdkTarget"),
    "sdk-helper": ("harness.targets.sdk_helper", "SdkHelperTarget"),
    "sdk-whole": ("harness.targets.sdk_whole", "SdkWholeTarget"),
    "letta": ("harness.targets.frameworks.letta", "LettaTarget"),
}
PYTHON, COMMAND, ENV = "python:", "command:", "env:"
_WORKER = Path(__file__).with_name("worker.py")
FORMS = (
    *BUILTIN,
    "python:pkg.module:attr",
    "command:PROGRAM ARGUMENTS",
    "env:REQUIREMENTS!TARGET",
)


def replies_once(address: str | object) -> bool:
    """Say whether a target replies once a stream, so that nobody sees its chunks arrive."""
    return isinstance(address, str) and address.startswith((ENV, COMMAND))


def is_external_command(address: str) -> bool:
    """Say whether a target's process is a program of its own, not a worker of ours."""
    return environment_of(address).target.startswith(COMMAND)


def inside(words: str, target: str) -> str:
    """Return the address of a target in an environment.

    Args:
        words: a set of requirements, ``current``, or a whole address, which stands for itself.
        target: an address; where it names an environment, the set is added to that.
    """
    if words.startswith((ENV, COMMAND, PYTHON)) or words in BUILTIN:
        return words
    if words == CURRENT:
        return target
    base, mark, bare = target.removeprefix(ENV).rpartition("!")
    if target.startswith(ENV) and mark:
        return f"{ENV}{base},{words}!{bare}"
    return f"{ENV}{words}!{target}"


class Inside(NamedTuple):
    """A target inside an environment."""

    requirements: Requirements
    target: str


def environment_of(address: str) -> Inside:
    """Return what ``env:REQUIREMENTS!TARGET`` names; any other address is one in our environment.

    Raises:
        InputError: one of the two halves is missing, or the requirements cannot be read.
    """
    if not address.startswith(ENV):
        return Inside(requirements(CURRENT), address)
    words, mark, target = address.removeprefix(ENV).rpartition("!")
    if not mark or not words or not target:
        raise InputError(f"target {address!r}: write it as env:REQUIREMENTS!TARGET")
    return Inside(requirements(words), target)


def check_form(address: str) -> str:
    """Return an address that has the form of one; what it names may be in another environment.

    Raises:
        UnknownWordError: it has not.
    """
    if address not in BUILTIN and not address.startswith((PYTHON, COMMAND)):
        raise UnknownWordError("target", address, FORMS)
    return address


def process_of(address: str) -> Process:
    """Return the process of a target: its own program, or a worker in its environment.

    Raises:
        InputError: its environment cannot be made, or there is no such program.
    """
    wanted, target = environment_of(address)
    python = python_of(wanted)
    variables = dict(os.environ)
    if wanted.lines:  # what is found along PYTHONPATH would stand before what is installed there
        variables.pop("PYTHONPATH", None)
    if target.startswith(COMMAND):
        path = os.pathsep.join((str(python.parent), os.environ.get("PATH", os.defpath)))
        return Process(command_of(target, path), {**variables, "PATH": path})
    return Process((str(python), "-P", str(_WORKER), check_form(target)), variables)


def command_of(address: str, path: str | None = None) -> list[str]:
    """Return the words of ``command:PROGRAM ARGUMENTS``, the program in full."""
    try:
        words = shlex.split(address.removeprefix(COMMAND))
    except ValueError as error:
        raise InputError(f"target {address!r}: {error}") from None
    program = shutil.which(words[0], path=path) if words else None
    if program is None:
        raise InputError(f"target {address!r}: there is no program {''.join(words[:1])!r}")
    return [program, *words[1:]]
