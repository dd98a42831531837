"""From a string to a target.

In this process: ``builtin``, ``builtin-sync``, ``sdk``, ``sdk-helper``,
``python:pkg.module:attr``. In a process of its own: ``command:node mine.mjs``, and any target
inside an environment, ``env:openai==2.54.0!builtin``.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.errors import InputError, UnknownWordError
from harness.targets.base import FunctionTarget, Target
from harness.targets.environments import CURRENT, python_of, requirements
from harness.targets.stdio import Process, StdioTarget

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.targets.clients import Clients
    from harness.targets.environments import Requirements
    from harness.targets.layers import Layers

# Word -> module and class: a target is imported when it is asked for.
_OURS: Mapping[str, tuple[str, str]] = {
    "builtin": ("harness.targets.builtin", "BuiltinTarget"),
    "builtin-sync": ("harness.targets.builtin_sync", "BuiltinSyncTarget"),
    "sdk": ("harness.targets.sdk", "SdkTarget"),
    "sdk-helper": ("harness.targets.sdk_helper", "SdkHelperTarget"),
    "letta": ("harness.targets.letta", "LettaTarget"),
}
_PYTHON, _COMMAND, _ENV = "python:", "command:", "env:"
_WORKER = Path(__file__).with_name("worker.py")
FORMS = (
    *_OURS,
    "python:pkg.module:attr",
    "command:PROGRAM ARGUMENTS",
    "env:REQUIREMENTS!TARGET",
)


def check(address: str) -> str:
    """Return the address if there is something behind it.

    For that, a Python object is imported, a program looked for, an environment made.

    Raises:
        UnknownWordError: it has not the form of an address.
        InputError: what it names cannot be imported, found or installed.
    """
    if address.startswith(_ENV):
        inside = environment_of(address)
        python_of(inside.requirements)
        check_form(inside.target)
    elif address.startswith(_COMMAND):
        _command(address)
    elif address.startswith(_PYTHON):
        _python(address)
    elif address not in _OURS:
        raise UnknownWordError("target", address, FORMS)
    return address


def resolve(address: str | object, clients: Clients) -> Target:
    """Return the target of an address.

    Args:
        address: one of ``FORMS``, or what such an address would import: a target object, a class
            of one, or a plain function.
        clients: the run's SDK clients, for the targets that need them.

    Raises:
        InputError: the address is no form of one, or names nothing that is a target.
    """
    if not isinstance(address, str):
        return _as_target(address)
    if address.startswith((_ENV, _COMMAND)):
        greets = not answers_for_itself(address)
        return StdioTarget(address, process_of(address), greets=greets)
    if check(address) in _OURS:
        return _our_own(address, clients)
    return _as_target(_python(address), address)


def listens_in_memory(address: str | object) -> bool:
    """Say whether a target reads ``Call.transport``; ours do, others need a socket."""
    return isinstance(address, str) and address in _OURS


def layers_of(address: str | object) -> Layers | None:
    """Return the layers of a target that is a whole system, None where it has none of its own."""
    found = address
    if isinstance(address, str):
        if answers_once(address):
            return None
        found = _python(address) if address.startswith(_PYTHON) else _ours(address)
    layers: Layers | None = getattr(found, "layers", None)
    return layers


def _ours(address: str) -> Any:
    """Return the class one of our words stands for."""
    module, name = _OURS[address]
    return getattr(import_module(module), name)


def _our_own(address: str, clients: Clients) -> Target:
    try:
        target: Target = _ours(address)(clients)
    except ImportError as error:
        raise InputError(f"{error}; install what the target stands on") from error
    return target


def answers_once(address: str | object) -> bool:
    """Say whether a target replies once a stream, so that nobody sees its chunks arrive."""
    return isinstance(address, str) and address.startswith((_ENV, _COMMAND))


def answers_for_itself(address: str) -> bool:
    """Say whether a target's process is a program of its own, not a worker of ours."""
    return environment_of(address).target.startswith(_COMMAND)


def inside(words: str, target: str) -> str:
    """Return the address of a target in an environment.

    Args:
        words: a set of requirements, ``current``, or a whole address, which stands for itself.
        target: an address; where it names an environment, the set is added to that.
    """
    if words.startswith((_ENV, _COMMAND, _PYTHON)) or words in _OURS:
        return words
    if words == CURRENT:
        return target
    base, mark, bare = target.removeprefix(_ENV).rpartition("!")
    if target.startswith(_ENV) and mark:
        return f"{_ENV}{base},{words}!{bare}"
    return f"{_ENV}{words}!{target}"


def name_of(address: str | object) -> str:
    """Return how reports call a target."""
    if isinstance(address, str):
        return address
    return str(getattr(address, "name", None) or getattr(address, "__qualname__", repr(address)))


class Inside(NamedTuple):
    """A target inside an environment."""

    requirements: Requirements
    target: str


def environment_of(address: str) -> Inside:
    """Return what ``env:REQUIREMENTS!TARGET`` names; any other address is one in our environment.

    Raises:
        InputError: one of the two halves is missing, or the requirements cannot be read.
    """
    if not address.startswith(_ENV):
        return Inside(requirements(CURRENT), address)
    words, mark, target = address.removeprefix(_ENV).rpartition("!")
    if not mark or not words or not target:
        raise InputError(f"target {address!r}: write it as env:REQUIREMENTS!TARGET")
    return Inside(requirements(words), target)


def check_form(address: str) -> str:
    """Return an address that has the form of one; what it names may be in another environment.

    Raises:
        UnknownWordError: it has not.
    """
    if address not in _OURS and not address.startswith((_PYTHON, _COMMAND)):
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
    if target.startswith(_COMMAND):
        path = os.pathsep.join((str(python.parent), os.environ.get("PATH", os.defpath)))
        return Process(_command(target, path), {**variables, "PATH": path})
    return Process((str(python), "-P", str(_WORKER), check_form(target)), variables)


def _command(address: str, path: str | None = None) -> list[str]:
    """Return the words of ``command:PROGRAM ARGUMENTS``, the program in full."""
    try:
        words = shlex.split(address.removeprefix(_COMMAND))
    except ValueError as error:
        raise InputError(f"target {address!r}: {error}") from None
    program = shutil.which(words[0], path=path) if words else None
    if program is None:
        raise InputError(f"target {address!r}: there is no program {''.join(words[:1])!r}")
    return [program, *words[1:]]


def _as_target(found: Any, name: str | None = None) -> Target:
    name = name or name_of(found)
    if isinstance(found, type):
        found = _made(found, name)
    if isinstance(found, Target):
        return found
    if callable(found):
        return FunctionTarget(name, found)
    words = f"is neither a target nor a function, but {found!r:.60}"
    raise InputError(f"target {name!r} {words}; a target has name, protocols and listen")


def _made(found: type, name: str) -> Any:
    try:
        return found()
    except Exception as error:
        words = f"making one raised {_raised(error)}"
        raise InputError(
            f"target {name!r}: {words}; a class is called without arguments"
        ) from error


def _raised(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]


def _python(address: str) -> Any:
    """Import what ``python:pkg.module:attr`` names."""
    module_name, colon, attribute = address.removeprefix(_PYTHON).partition(":")
    if not colon or not module_name or not attribute:
        raise InputError(f"target {address!r}: write it as python:pkg.module:attr")
    return _import(address, module_name, attribute)


def _import(address: str, module_name: str, attribute: str) -> Any:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)  # a console script does not search the folder it is called in
    try:
        value: Any = import_module(module_name)
        for name in attribute.split("."):
            value = getattr(value, name)
    except (ImportError, AttributeError) as error:
        raise InputError(f"target {address!r}: {error}") from error
    except (Exception, SystemExit) as error:
        raise InputError(f"target {address!r}: importing it raised {_raised(error)}") from error
    return value
