"""From a string to a target: ``builtin``, ``sdk``, ``sdk-helper``, ``python:pkg.module:attr``."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import InputError, UnknownWordError
from harness.targets.base import FunctionTarget, Target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.targets.clients import Clients

# Word -> module and class: a target is imported when it is asked for.
_OURS: Mapping[str, tuple[str, str]] = {
    "builtin": ("harness.targets.builtin", "BuiltinTarget"),
    "sdk": ("harness.targets.sdk", "SdkTarget"),
    "sdk-helper": ("harness.targets.sdk_helper", "SdkHelperTarget"),
}
_PYTHON = "python:"
FORMS = (*_OURS, "python:pkg.module:attr")


def check(address: str) -> str:
    """Return the address if there is something behind it; what it names is imported for that.

    Raises:
        UnknownWordError: it has not the form of an address.
        InputError: what it names cannot be imported.
    """
    if address.startswith(_PYTHON):
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
    if check(address) in _OURS:
        module, name = _OURS[address]
        target: Target = getattr(import_module(module), name)(clients)
        return target
    return _as_target(_python(address), address)


def listens_in_memory(address: str | object) -> bool:
    """Say whether a target reads ``Call.transport``; ours do, others need a socket."""
    return isinstance(address, str) and address in _OURS


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
