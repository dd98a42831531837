"""From an address to a target.

In this process: the built-in targets (``addresses.BUILTIN``) and ``python:pkg.module:attr``. In a
process of its own: ``command:node mine.mjs``, and any target inside an environment,
``env:openai==2.54.0!builtin``.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import InputError, UnknownWordError
from harness.sdks import binding_of, names
from harness.sdks.installed import INSTALL, version_of
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

if TYPE_CHECKING:
    from harness.sdks.clients import SdkClients
    from harness.targets.layers import Layers


def check(address: str) -> str:
    """Return the address if it names something that exists.

    To find out, a Python object is imported, a program is searched for, an environment is made.

    Raises:
        UnknownWordError: the address has no valid form.
        InputError: what it names cannot be imported, found or installed, or it is a built-in target
            and no SDK is installed.
    """
    if address.startswith(ENV):
        from harness.targets.environments import python_of

        required, target = environment_of(address)
        python_of(required)
        check_form(target)
    elif address.startswith(COMMAND):
        command_of(address)
    elif address.startswith(PYTHON):
        _import_address(address)
    elif address not in BUILTIN:
        raise UnknownWordError("target", address, FORMS)
    elif not any(version_of(binding_of(name).distribution) for name in names()):
        raise InputError(f"target {address!r} needs a provider SDK; {INSTALL}")
    return address


def resolve(address: str | object, clients: SdkClients) -> Target:
    """Return the target of an address.

    Args:
        address: one of ``FORMS``, or what such an address would import: a target object, a class
            of one, or a plain function.
        clients: the SDK clients of the run, for the built-in targets.

    Raises:
        InputError: the address has no valid form, or what it names is not a target.
    """
    if not isinstance(address, str):
        return _as_target(address)
    if address.startswith((ENV, COMMAND)):
        from harness.targets.stdio import StdioTarget

        handshake = not is_external_command(address)
        return StdioTarget(address, process_of(address), handshake=handshake)
    if address.startswith(PYTHON):
        return _as_target(_import_address(address), address)
    if address not in BUILTIN:
        raise UnknownWordError("target", address, FORMS)
    return _make_builtin(address, clients)


def listens_in_memory(address: str | object) -> bool:
    """Return whether a target uses ``Call.transport``; built-in ones do, others need a socket."""
    return isinstance(address, str) and address in BUILTIN


def layers_of(address: str | object) -> Layers | None:
    """Return the layers of a target that is a whole streaming system; None for other targets."""
    target = address
    if isinstance(address, str):
        if replies_once(address):
            return None
        target = _import_address(address) if address.startswith(PYTHON) else _builtin(address)
    layers: Layers | None = getattr(target, "layers", None)
    return layers


def name_of(address: str | object) -> str:
    """Return how reports name a target."""
    if isinstance(address, str):
        return address
    return str(getattr(address, "name", None) or getattr(address, "__qualname__", repr(address)))


def _builtin(address: str) -> Any:
    """Return the class of a built-in target."""
    row = BUILTIN[address]
    return getattr(import_module(row.module), row.attribute)


def _make_builtin(address: str, clients: SdkClients) -> Target:
    try:
        target: Target = _builtin(address)(clients)
    except ImportError as error:
        raise InputError(f"target {address!r}: {error}; install the packages it needs") from error
    return target


def _as_target(value: Any, name: str | None = None) -> Target:
    name = name or name_of(value)
    if isinstance(value, type):
        value = _instance(value, name)
    if isinstance(value, Target):
        return value
    if callable(value):
        return FunctionTarget(name, value)
    raise InputError(
        f"target {name!r} is neither a target nor a function, but {value!r:.60}; "
        "a target has name, protocols and listen"
    )


def _instance(value: type, name: str) -> Any:
    try:
        return value()
    except Exception as error:
        raise InputError(
            f"target {name!r}: making one raised {_first_line(error)}; "
            "a class is called without arguments"
        ) from error


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]


def _import_address(address: str) -> Any:
    """Import what ``python:pkg.module:attr`` names."""
    module_name, colon, attribute = address.removeprefix(PYTHON).partition(":")
    if not colon or not module_name or not attribute:
        raise InputError(f"target {address!r}: write it as python:pkg.module:attr")
    return _import(address, module_name, attribute)


def _import(address: str, module_name: str, attribute: str) -> Any:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)  # a console script does not search the current folder
    try:
        value: Any = import_module(module_name)
        for name in attribute.split("."):
            value = getattr(value, name)
    except (ImportError, AttributeError) as error:
        raise InputError(f"target {address!r}: {error}") from error
    except (Exception, SystemExit) as error:
        raise InputError(f"target {address!r}: importing it raised {_first_line(error)}") from error
    return value
