"""From a string to a target.

In this process: ``builtin``, ``builtin-sync``, ``sdk``, ``sdk-helper``, ``sdk-whole``, ``letta``,
``python:pkg.module:attr``. In a process of its own: ``command:node mine.mjs``, and any target
inside an environment, ``env:openai==2.54.0!builtin``.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import InputError, UnknownWordError
from harness.targets.addresses import (
    BUILTIN,
    COMMAND,
    ENV,
    FORMS,
    PYTHON,
    check_form,
    command_of,
    environment_of,
    is_external_command,
    process_of,
    replies_once,
)
from harness.targets.base import FunctionTarget, Target
from harness.targets.environments import python_of
from harness.targets.stdio import StdioTarget

if TYPE_CHECKING:
    from harness.targets.clients import Clients
    from harness.targets.layers import Layers


def check(address: str) -> str:
    """Return the address if there is something behind it.

    For that, a Python object is imported, a program looked for, an environment made.

    Raises:
        UnknownWordError: it has not the form of an address.
        InputError: what it names cannot be imported, found or installed.
    """
    if address.startswith(ENV):
        inside = environment_of(address)
        python_of(inside.requirements)
        check_form(inside.target)
    elif address.startswith(COMMAND):
        command_of(address)
    elif address.startswith(PYTHON):
        _python(address)
    elif address not in BUILTIN:
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
    if address.startswith((ENV, COMMAND)):
        greets = not is_external_command(address)
        return StdioTarget(address, process_of(address), greets=greets)
    if check(address) in BUILTIN:
        return _our_own(address, clients)
    return _as_target(_python(address), address)


def listens_in_memory(address: str | object) -> bool:
    """Say whether a target reads ``Call.transport``; ours do, others need a socket."""
    return isinstance(address, str) and address in BUILTIN


def layers_of(address: str | object) -> Layers | None:
    """Return the layers of a target that is a whole system, None where it has none of its own."""
    found = address
    if isinstance(address, str):
        if replies_once(address):
            return None
        found = _python(address) if address.startswith(PYTHON) else _ours(address)
    layers: Layers | None = getattr(found, "layers", None)
    return layers


def _ours(address: str) -> Any:
    """Return the class one of our words stands for."""
    module, name = BUILTIN[address]
    return getattr(import_module(module), name)


def _our_own(address: str, clients: Clients) -> Target:
    try:
        target: Target = _ours(address)(clients)
    except ImportError as error:
        raise InputError(f"{error}; install what the target stands on") from error
    return target


def name_of(address: str | object) -> str:
    """Return how reports call a target."""
    if isinstance(address, str):
        return address
    return str(getattr(address, "name", None) or getattr(address, "__qualname__", repr(address)))


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
    module_name, colon, attribute = address.removeprefix(PYTHON).partition(":")
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
