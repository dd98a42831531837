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
FORMS = (*_OURS, "python:pkg.module:attr")


def check(address: str) -> str:
    """Return the address if it has the form of one.

    Raises:
        UnknownWordError: it has not.
    """
    if address not in _OURS and not address.startswith("python:"):
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
    check(address)
    if address in _OURS:
        module, name = _OURS[address]
        target: Target = getattr(import_module(module), name)(clients)
        return target
    return _as_target(_python(address), address)


def name_of(address: str | object) -> str:
    """Return how reports call a target."""
    if isinstance(address, str):
        return address
    return str(getattr(address, "name", None) or getattr(address, "__qualname__", repr(address)))


def _as_target(found: Any, name: str | None = None) -> Target:
    if isinstance(found, type):
        found = found()
    if isinstance(found, Target):
        return found
    name = name or name_of(found)
    if callable(found):
        return FunctionTarget(name, found)
    raise InputError(f"target {name!r} is neither a target nor a function, but {found!r:.60}")


def _python(address: str) -> Any:
    """Import what ``python:pkg.module:attr`` names."""
    module_name, colon, attribute = address.removeprefix("python:").partition(":")
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
    return value
