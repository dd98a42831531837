"""One streaming interface per protocol; base.py holds what they share.

The interface of a protocol that ships with the project is the ``Interface`` of the folder with the
protocol's name; any other one is registered with ``register_interface``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from harness.errors import UnknownWordError
from harness.protocols import NAMES

if TYPE_CHECKING:
    from harness.streaming.interfaces.base import StreamingInterface

_registered: dict[str, type[StreamingInterface]] = {}


def interface_for(protocol: str) -> type[StreamingInterface]:
    """Return the interface class of a protocol.

    Raises:
        UnknownWordError: no interface reads that protocol.
    """
    if protocol in _registered:
        return _registered[protocol]
    if protocol not in NAMES:
        raise UnknownWordError("protocol", protocol, (*NAMES, *_registered))
    module = import_module(f"harness.streaming.interfaces.{protocol}")
    found: type[StreamingInterface] = module.Interface
    return found


def register_interface(interface: type[StreamingInterface]) -> None:
    """Make an interface known as the one of its ``protocol``.

    Raises:
        ValueError: the protocol has one already.
    """
    if interface.protocol in NAMES or interface.protocol in _registered:
        raise ValueError(f"{interface.protocol!r} has a streaming interface already")
    _registered[interface.protocol] = interface


def unregister_interface(protocol: str) -> None:
    """Undo ``register_interface``.

    Raises:
        KeyError: no interface was registered for that protocol.
    """
    del _registered[protocol]
